/**
 * Contour lines by marching squares: each cell of a grid that a height crosses gives one or two straight pieces.
 * Source: W. E. Lorensen and H. E. Cline's marching cubes (1987), in the plane.
 */

import { GRID } from './protocol.ts';
import type { Surface } from './surfaces.ts';

const LEVELS = 16;

/** Heights above the lowest point, evenly spaced in log(1 + height): dense in valleys, sparse on slopes. */
export function contourLevels(heights: Float32Array, lowest: number): number[] {
  const top = Math.log1p(heights.reduce((a, b) => Math.max(a, b), lowest) - lowest);
  return Array.from({ length: LEVELS }, (_, k) => lowest + Math.expm1((top * (k + 0.5)) / LEVELS));
}

/** Segments x₁, y₁, x₂, y₂ of all levels, in the coordinates of the surface. */
export function contourSegments(heights: Float32Array, surface: Surface): Float32Array {
  const segments: number[] = [];
  const place = (column: number, row: number): [number, number] => [
    surface.x[0] + ((surface.x[1] - surface.x[0]) * column) / (GRID - 1),
    surface.y[1] - ((surface.y[1] - surface.y[0]) * row) / (GRID - 1),
  ];
  for (const level of contourLevels(heights, surface.lowest)) {
    for (let row = 0; row + 1 < GRID; row++) {
      for (let column = 0; column + 1 < GRID; column++) {
        const crossings = cellCrossings(heights, level, column, row);
        for (let k = 0; k + 1 < crossings.length; k += 2) {
          segments.push(...place(...crossings[k]), ...place(...crossings[k + 1]));
        }
      }
    }
  }
  return Float32Array.from(segments);
}

/** Where `level` crosses the edges of a cell, in pairs that belong together, as columns and rows. */
function cellCrossings(heights: Float32Array, level: number, column: number, row: number): [number, number][] {
  const at = row * GRID + column;
  const corners = [heights[at], heights[at + 1], heights[at + GRID + 1], heights[at + GRID]];
  const above = corners.map((height) => height > level);
  const found: [number, number][] = [];
  for (let edge = 0; edge < 4; edge++) {
    const [a, b] = [corners[edge], corners[(edge + 1) % 4]];
    if (above[edge] === above[(edge + 1) % 4]) continue;
    const t = (level - a) / (b - a);
    found.push(
      [
        [column + t, row],
        [column + 1, row + t],
        [column + 1 - t, row + 1],
        [column, row + 1 - t],
      ][edge] as [number, number],
    );
  }
  // Four crossings are a saddle: the height of the middle says which corners hang together.
  const middle = corners.reduce((a, b) => a + b) / 4 > level;
  return found.length === 4 && middle === above[0] ? [found[0], found[1], found[2], found[3]] : rotated(found);
}

const rotated = <T>(four: T[]): T[] => (four.length === 4 ? [four[3], four[0], four[1], four[2]] : four);
