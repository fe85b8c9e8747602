// The page of a transaction: verifies its Merkle proof here and draws it.

import { climb, fromHex, readHeader, toHex } from "./merkle.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640;
const ROW = 72;
const BOX = { width: 170, height: 34 };

async function verify(place) {
  if (!window.crypto?.subtle) {
    return { result: "not verified: browsers hash on pages by https or from this machine alone" };
  }
  const answer = await fetch(`/transactions/${place.dataset.id}/proof`);
  const proof = await answer.json();
  if (!answer.ok) return { result: `not verified: ${proof.detail}` };
  const { transaction, leaf_index, tree_size, path } = proof;
  const climbed = await climb(transaction, leaf_index, tree_size, path);
  const header = await readHeader(fromHex(place.dataset.header));
  const top = climbed.steps.length ? climbed.steps[climbed.steps.length - 1].node : climbed.leaf;
  const faults = [
    [transaction.id !== place.dataset.id, "the proof is of another transaction"],
    [!climbed.isWhole, "the path has another length than the tree demands"],
    [toHex(top) !== toHex(header.root), "the path leads to another root than the header's"],
    [toHex(header.hash) !== place.dataset.hash, "the header has another hash than the block"],
  ];
  const fault = faults.find(([isFault]) => isFault);
  return {
    climbed,
    isProven: !fault,
    result: fault
      ? `NOT proven: ${fault[1]}`
      : `verified here: ${path.length + 1} hashes lead from the transaction to the root in the header`,
  };
}

function draw(svg, { leaf, steps }) {
  const height = (steps.length + 1) * ROW;
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  const middle = WIDTH / 2;
  const y = (level) => height - ROW / 2 - level * ROW;
  steps.forEach(({ isLeft }, level) => {
    const beside = middle + (isLeft ? -1 : 1) * (BOX.width + 50);
    line(svg, middle, y(level), middle, y(level + 1));
    line(svg, beside, y(level), middle, y(level + 1));
  });
  const names = steps.map((_, level) => (level === steps.length - 1 ? "root" : "node"));
  box(svg, middle, y(0), leaf, steps.length ? "leaf" : "leaf and root", "ours");
  steps.forEach(({ sibling, isLeft, node }, level) => {
    const beside = middle + (isLeft ? -1 : 1) * (BOX.width + 50);
    box(svg, beside, y(level), sibling, "given", "given");
    box(svg, middle, y(level + 1), node, names[level], "ours");
  });
  svg.removeAttribute("hidden");
}

function make(svg, name, attributes, text) {
  const shape = svg.appendChild(document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  if (text) shape.textContent = text;
  return shape;
}

function line(svg, x1, y1, x2, y2) {
  make(svg, "line", { x1, y1, x2, y2 });
}

function box(svg, x, y, hash, name, kind) {
  const { width, height } = BOX;
  make(svg, "rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 6, class: kind });
  const text = `${name} ${toHex(hash).slice(0, 8)}...`;
  make(svg, "text", { x, y: y + 5, "text-anchor": "middle" }, text);
}

const place = document.getElementById("proof");
const result = place.querySelector("[data-result]");
result.textContent = "verifying";
const found = await verify(place);
result.textContent = found.result;
result.classList.add(found.isProven ? "proven" : "unproven");
if (found.climbed) draw(place.querySelector("[data-tree]"), found.climbed);
