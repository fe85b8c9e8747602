// The live page: follows /events and keeps its numbers, plots and newest blocks moving.
// Tells others on the page by two events of the document: "minequeue:state" and "minequeue:away".

import { drawPlot } from "./plot.js";

const ROOM = 150; // samples in a plot, five minutes
const AGAIN_MS = 5000; // after an answer that EventSource does not come back from

// how each tile is made of a sample and the one before it; null where it cannot be said
const METRICS = {
  depth: (now) => now.pending + now.mine_requests,
  oldest: (now) => now.oldest_s,
  drain: (now) => now.drain_s,
  accepted: (now, before) => rate(now, before, "accepted"),
  mined: (now, before) => rate(now, before, "mined"),
  height: (now) => now.height,
  hashes: (now) => now.hash_rate,
  miners: (now) => now.miners,
  connected: (now, before) => before && Math.max(0, now.connected - before.connected),
  failed: (now, before) => before && Math.max(0, now.failed - before.failed),
};
const WORDS = {
  depth: (value) => write(value),
  oldest: (value) => value.toFixed(1),
  drain: (value) => value.toFixed(1),
  accepted: (value) => write(Math.round(value)),
  mined: (value) => write(Math.round(value)),
  hashes: (value) => writeShort(value),
  miners: (_, now) => `${now.miners} / ${now.wanted}`,
  height: (value) => write(value),
  connected: (_, now) => write(now.connected),
  failed: (_, now) => write(now.failed),
};

const plots = Object.fromEntries(Object.keys(METRICS).map((name) => [name, []]));
let last = null;

function rate(now, before, name) {
  if (!before || now.time_ms <= before.time_ms) return null;
  return (1000 * Math.max(0, now[name] - before[name])) / (now.time_ms - before.time_ms);
}

function write(value) {
  return value.toLocaleString("en");
}

function writeShort(value) {
  const units = ["", "k", "M", "G", "T", "P"];
  let power = 0;
  while (value >= 1000 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${power ? value.toFixed(1) : value}${units[power] ? ` ${units[power]}` : ""}`;
}

function take(sample) {
  for (const [name, measure] of Object.entries(METRICS)) {
    plots[name].push(measure(sample, last));
    if (plots[name].length > ROOM) plots[name].shift();
  }
  last = sample;
}

function show() {
  for (const [name, values] of Object.entries(plots)) {
    const value = values[values.length - 1];
    const number = document.querySelector(`[data-number="${name}"]`);
    if (value !== null || name === "drain") {
      number.textContent = value === null ? "-" : WORDS[name](value, last);
    }
    drawPlot(document.querySelector(`[data-plot="${name}"]`), values, ROOM);
  }
}

function showBlocks(blocks) {
  const body = document.querySelector("[data-blocks]");
  const known = new Map([...body.rows].map((row) => [row.dataset.hash, row]));
  const rows = blocks.map((block) => known.get(block.hash) ?? makeRow(block));
  if (rows.length !== body.rows.length || rows.some((row, i) => row !== body.rows[i])) {
    body.replaceChildren(...rows);
  }
}

function makeRow(block) {
  const row = document.createElement("tr");
  row.dataset.hash = block.hash;
  row.className = "new";
  const link = (text) => {
    const a = document.createElement("a");
    a.href = `/blocks/${block.hash}`;
    a.textContent = text;
    return a;
  };
  const hash = link(block.hash);
  hash.tabIndex = -1; // the index beside it leads to the same page
  const time = block.timestamp
    ? `${new Date(block.timestamp).toISOString().slice(0, 19).replace("T", " ")}Z`
    : "-";
  for (const [name, content] of [
    ["", link(block.index)],
    ["hash", hash],
    ["count", block.transactions],
    ["time", time],
  ]) {
    const cell = row.insertCell();
    cell.className = name;
    cell.append(content);
  }
  return row;
}

function showWarnings(warnings) {
  const list = document.querySelector("[data-warnings]");
  if (warnings.join() === [...list.children].map((item) => item.textContent).join()) return;
  list.replaceChildren(...warnings.map((warning) => {
    const item = document.createElement("li");
    item.textContent = warning;
    return item;
  }));
}

function say(light, text) {
  document.querySelector("[data-light]").dataset.light = light;
  const state = document.querySelector("[data-state]");
  if (state.textContent !== text) state.textContent = text;
}

function follow() {
  const source = new EventSource("/events");
  source.addEventListener("state", (event) => {
    const { samples, blocks, warnings } = JSON.parse(event.data);
    samples.forEach(take);
    show();
    showBlocks(blocks);
    showWarnings(warnings);
    if (METRICS.depth(last)) say("busy", "Busy: work is in the queue.");
    else say("idle", "Idle: every accepted transaction is in a block.");
    document.dispatchEvent(new CustomEvent("minequeue:state", { detail: last }));
  });
  source.addEventListener("away", (event) => {
    const { reason } = JSON.parse(event.data);
    say("away", reason || "The database is not responding; every accepted transaction is on disk.");
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return; // the usual end of an answer
    say("away", "This node is not responding; trying again.");
    setTimeout(follow, AGAIN_MS);
  });
}

follow();
