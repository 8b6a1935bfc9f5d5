/** The value of a digit at a place of a text of digits. */
const digitAt = (digits: string, at: number): number => digits.charCodeAt(at) - 48;

/** Luhn's check: every second digit from the right doubled, sums of digits added, a multiple of 10. Source: ISO/IEC 7812-1. */
export function holdsLuhn(digits: string, start = 0, end = digits.length): boolean {
  let sum = 0;
  for (let i = end - 1, isDoubled = false; i >= start; i--, isDoubled = !isDoubled) {
    const value = isDoubled ? 2 * digitAt(digits, i) : digitAt(digits, i);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** The remainder by 97 of a number of any length; a letter stands for two digits, A for 10. Source: ISO/IEC 7064, mod 97-10. */
export function remainderBy97(text: string): number {
  let remainder = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code >= 0x41 ? code - 0x37 : code - 0x30; // A is 0x41
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder;
}

/** The sum of digits, each times its weight. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * digitAt(digits, i), 0);
}
