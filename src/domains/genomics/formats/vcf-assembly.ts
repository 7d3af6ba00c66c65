/** Reference assemblies that are told apart. */
export type Assembly = 'GRCh37' | 'GRCh38';

/** Chromosomes 1-22, X, Y in base pairs (Genome Reference Consortium). */
const LENGTHS: Readonly<Record<Assembly, readonly number[]>> = {
  GRCh37: [
    249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747, 135006516, 133851895,
    115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560, 59373566,
  ],
  GRCh38: [
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422, 135086622, 133275309,
    114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895, 57227415,
  ],
};
const CHROMOSOMES = [...Array.from({ length: 22 }, (_, at) => String(at + 1)), 'X', 'Y'];
const GRCH38 = /grch38|hg38|hs38|\bb38\b|GC[AF]_000001405\.(1[5-9]|2[6-9]|[34]\d)\b/i;
const GRCH37 = /grch37|hg19|hs37|g1k_v37|\bb37\b|GCA_000001405\.([1-9]|1[0-4])\b|GCF_000001405\.(1[3-9]|2[0-5])\b/i;

/** The assembly that a free text (a path, a name, an accession) names, or undefined. GCA 15+ and GCF 26+ are GRCh38. */
export function assemblyOfText(text: string): Assembly | undefined {
  if (GRCH38.test(text)) return 'GRCh38';
  return GRCH37.test(text) ? 'GRCh37' : undefined;
}

/** The assembly whose chromosome of that name (with or without chr) has exactly that length, or undefined. */
export function assemblyOfLength(contig: string, length: number): Assembly | undefined {
  const at = CHROMOSOMES.indexOf(contig.replace(/^chr/, ''));
  if (at === -1) return undefined;
  if (LENGTHS.GRCh37[at] === length) return 'GRCh37';
  return LENGTHS.GRCh38[at] === length ? 'GRCh38' : undefined;
}
