/** The weights that are trained: all but moving averages. Free of Node. */
export function trained(weights) {
  return weights.filter(({ name }) => !/\/moving(Mean|Variance)$/.test(name));
}
