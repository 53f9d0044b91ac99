/**
 * The two tables of the `normal` distribution (SPEC.md, 4.1), packed as in shaders/normal.wgsl: four bytes per word.
 */
const words = `
  0x02010100u,0x03030202u,0x05040403u,0x07060605u,0x08080807u,0x0a090909u,0x0c0b0b0bu,0x0d0d0c0cu,
  0x0f0f0e0eu,0x11111010u,0x13131212u,0x15141413u,0x17161615u,0x19181817u,0x1b1a1a19u,0x1d1c1c1bu,
  0x1f1e1e1du,0x2121201fu,0x23232222u,0x26252524u,0x28282727u,0x2b2a2a29u,0x2e2d2d2cu,0x3130302fu,
  0x35333332u,0x38373635u,0x3c3c3b39u,0x42403f3du,0x48454542u,0x4f4c4a49u,0x5b575452u,0x7f6d655fu,
  0x01010100u,0x03030202u,0x05050404u,0x06060605u,0x08080707u,0x0a0a0909u,0x0c0b0b0au,0x0e0d0d0cu,
  0x0f0f0e0eu,0x11111010u,0x13121211u,0x15141414u,0x17161615u,0x19181817u,0x1b1a1a19u,0x1d1c1c1bu,
  0x1f1e1e1du,0x21202020u,0x24232222u,0x26252424u,0x29282726u,0x2b2b2a29u,0x2e2d2c2cu,0x31302f2fu,
  0x34343332u,0x38373736u,0x3d3b3a39u,0x41403e3eu,0x47464443u,0x4f4d4b49u,0x5b575451u,0x7f6d655fu,
`;

const bytes = [...words.matchAll(/[0-9a-f]{8}/g)].flatMap(([word]) => {
  const value = Number.parseInt(word, 16);
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
});

/** Magnitudes by the low seven bits of a byte, for even and for odd inputs. */
export const normalMagnitudes: { readonly even: readonly number[]; readonly odd: readonly number[] } = {
  even: bytes.slice(0, 128),
  odd: bytes.slice(128),
};
