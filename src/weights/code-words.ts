/** The 256 words of 16 signs of `codeword` (SPEC.md, 4.8): the Nordstrom-Robinson code. */

/** One word of each of its eight cosets of the first-order Reed-Muller code; bit i belongs to sign i. */
const cosets = [0x0000, 0x6ac0, 0xc6a0, 0x24e8, 0x7228, 0xb848, 0x1e88, 0x5c60];

/** Bit i: whether the number of bits set in i is odd. */
const PARITY = 0x6996;

/** Whether sign `i` (0 ... 15) of the word of a byte is -1: 1, else 0. */
export const codeBit = (byte: number, i: number): number =>
  ((cosets[byte >> 5]! >> i) ^ (PARITY >> ((byte >> 1) & i)) ^ byte) & 1;
