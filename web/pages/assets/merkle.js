// Merkle paths (RFC 6962) and headers, computed by the browser's own SHA-256.

const LEAF = 0;
const NODE = 1;
const ROOT_AT = 56; // in a header's 96 bytes

export const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

async function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

/** The canonical form (RFC 8785) of what the chain holds: no fractions, so numbers are plain. */
export function canonicalise(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalise).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalise(value[name])}`);
  return `{${members.join(",")}}`;
}

/**
 * Climb from a transaction to the root.
 * @returns {Promise<{leaf: Uint8Array, steps: {sibling: Uint8Array, isLeft: boolean, node: Uint8Array}[],
 *   isWhole: boolean}>} isWhole tells whether the path has just the length that the tree demands
 */
export async function climb(transaction, position, size, path) {
  const content = new TextEncoder().encode(canonicalise(transaction));
  const leaf = await sha256([LEAF], content);
  const steps = [];
  let node = leaf;
  let at = position;
  let last = size - 1;
  for (const text of path) {
    const sibling = fromHex(text);
    const isLeft = at % 2 === 1 || at === last;
    node = isLeft ? await sha256([NODE], sibling, node) : await sha256([NODE], node, sibling);
    steps.push({ sibling, isLeft, node });
    if (isLeft) {
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return { leaf, steps, isWhole: last === 0 && position < size };
}

/** The hash and the Merkle root of a header of 96 bytes. */
export async function readHeader(header) {
  return { hash: await sha256(header), root: header.slice(ROOT_AT, ROOT_AT + 32) };
}
