/**
 * The order in which a JPEG stores the 64 coefficients of a block: the place, row by row, of the k-th (T.81, figure
 * A.6).
 */
export const ZIGZAG = zigzag();

function zigzag(): Uint8Array {
  const places = Array.from({ length: 64 }, (_, place) => ({ place, row: place >> 3, column: place & 7 }));
  // Along antidiagonals, upwards on even ones and downwards on odd ones.
  places.sort((a, b) => {
    const [first, second] = [a.row + a.column, b.row + b.column];
    if (first !== second) return first - second;
    return first % 2 === 0 ? b.row - a.row : a.row - b.row;
  });
  return Uint8Array.from(places, ({ place }) => place);
}
