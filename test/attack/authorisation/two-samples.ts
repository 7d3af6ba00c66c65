/**
 * Two-sided p-value of the Mann-Whitney U test with the normal approximation and the correction for ties; for samples of 20 and more.
 * Source: Mann and Whitney 1947, Ann. Math. Statist. 18(1), 50-60; ties after Hollander and Wolfe, Nonparametric Statistical Methods, section 4.1.
 */
export function mannWhitney(one: readonly number[], other: readonly number[]): number {
  const all = [...one.map((value) => ({ value, first: true })), ...other.map((value) => ({ value, first: false }))];
  all.sort((a, b) => a.value - b.value);
  const [n, m, total] = [one.length, other.length, all.length];
  let ranks = 0;
  let ties = 0;
  for (let start = 0; start < total;) {
    let end = start;
    while (end < total && all[end]?.value === all[start]?.value) end += 1;
    const size = end - start;
    // Equal values share the mean of their ranks, which count from 1.
    ranks += ((start + 1 + end) / 2) * all.slice(start, end).filter((each) => each.first).length;
    ties += size ** 3 - size;
    start = end;
  }
  const u = ranks - (n * (n + 1)) / 2;
  const sd = Math.sqrt(((n * m) / 12) * (total + 1 - ties / (total * (total - 1))));
  return 2 * (1 - normal(Math.abs(u - (n * m) / 2) / sd));
}

/** Distribution function of the standard normal for z >= 0, to 7.5e-8 (Abramowitz and Stegun 1964, 26.2.17). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const tail = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429].reduce((sum, b, i) => sum + b * t ** (i + 1), 0);
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
