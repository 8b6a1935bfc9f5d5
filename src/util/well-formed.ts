const NOT_ASCII = /[\u0080-\uffff]/;
const HALF_A_PAIR = /\p{Surrogate}/u;

/** Whether a text can be encoded in UTF-8: half of a surrogate pair cannot. */
export const isWellFormed = (text: string): boolean => !NOT_ASCII.test(text) || !HALF_A_PAIR.test(text);
