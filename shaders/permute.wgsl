// A seeded permutation of 0 ... n-1, element by element, without a table: a Feistel network over the next power of four,
// walked along its cycle until it is back below n. The result is a bijection for every n and key.
//
// A library: the names carry its prefix. The same in TypeScript: src/ops/permute.ts.
// Sources: Luby, Rackoff, "How to construct pseudorandom permutations" (1988); Black, Rogaway, "Ciphers with arbitrary
// finite domains" (2002), section 3, cycle walking; the mixing function is the finaliser of MurmurHash3 (Appleby).

const PERMUTE_ROUNDS = 8u;
const PERMUTE_STEP = 0x9e3779b9u;

fn permute_mix(word: u32) -> u32 {
  var h = word;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

// Place of `start` (below n) in the permutation; the network has halves of `half` bits, 4^half >= n.
fn permute_index(start: u32, n: u32, half: u32, key: vec2<u32>) -> u32 {
  let mask = (1u << half) - 1u;
  let a = permute_mix(key.x + PERMUTE_STEP);
  let b = permute_mix(key.y ^ a);
  var x = start;
  // `start` itself is on the cycle, so the walk ends; 4^half < 4n, so it takes fewer than 4 steps on average.
  loop {
    var left = x >> half;
    var right = x & mask;
    for (var round = 1u; round <= PERMUTE_ROUNDS; round++) {
      let round_key = permute_mix(a + round * PERMUTE_STEP) + b;
      let next = left ^ (permute_mix(right ^ round_key) & mask);
      left = right;
      right = next;
    }
    x = (left << half) | right;
    if (x < n) {
      break;
    }
  }
  return x;
}
