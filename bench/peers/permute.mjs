/** `data` of `shape` with its axes in the order `axes`, as a new array. Free of Node. */
export function permute(data, shape, axes) {
  const strides = shape.map((_, k) => shape.slice(k + 1).reduce((product, n) => product * n, 1));
  const sizes = axes.map((axis) => shape[axis]);
  return Float32Array.from({ length: data.length }, (_, index) => {
    let rest = index;
    let from = 0;
    for (let k = axes.length - 1; k >= 0; k--) {
      from += (rest % sizes[k]) * strides[axes[k]];
      rest = Math.floor(rest / sizes[k]);
    }
    return data[from];
  });
}
