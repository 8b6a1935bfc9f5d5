/** The value of a polynomial whose coefficients stand from the highest power down. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < coefficients.length; i++) sum = sum * x + (coefficients[i] as number);
  return sum;
}

const CENTRE = [9.604973739870516, 90.02601972038427, 2232.005345946843, 7003.325141128051, 55592.30130103949];
const CENTRE_BELOW = [
  1, 33.56171416475031, 521.3579497801527, 4594.323829709801, 22629.000061389095, 49267.39426086359,
];
const FLANK = [
  2.461969814735305e-10, 0.5641895648310689, 7.463210564422699, 48.63719709856814, 196.5208329560771, 526.4451949954773,
  934.5285271719576, 1027.5518868951572, 557.5353353693994,
];
const FLANK_BELOW = [
  1, 13.228195115474499, 86.70721408859897, 354.9377788878199, 975.7085017432055, 1823.9091668790973,
  2246.3376081871097, 1656.6630919416134, 557.5353408177277,
];
const TAIL = [
  0.5641895835477551, 1.275366707599781, 5.019050422511805, 6.160210979930536, 7.4097426995044895, 2.9788666537210022,
];
const TAIL_BELOW = [
  1, 2.2605286322011726, 9.396035249380015, 12.048953980809666, 17.08144507475659, 9.608968090632859, 3.369076451000815,
];

/** The share of a normal distribution above `|x|` times the square root of 2, twice. */
function erfc(x: number): number {
  const z = Math.abs(x);
  const [above, below] = z < 8 ? [FLANK, FLANK_BELOW] : [TAIL, TAIL_BELOW];
  return (Math.exp(-z * z) * polynomial(z, above)) / polynomial(z, below);
}

/** The share of a standard normal distribution that lies below `z`, to about 15 digits. Source: `ndtr` of Cephes (S. Moshier). */
export function normalCdf(z: number): number {
  const x = z * Math.SQRT1_2;
  if (Math.abs(x) < 1) return 0.5 + (0.5 * x * polynomial(x * x, CENTRE)) / polynomial(x * x, CENTRE_BELOW);
  const outside = 0.5 * erfc(x);
  return x > 0 ? 1 - outside : outside;
}
