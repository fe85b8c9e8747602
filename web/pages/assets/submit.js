// The form: submits a transaction or asks for a block, and follows each receipt into its block.

const KEPT = 10; // receipts
const form = document.getElementById("submit");
const list = document.querySelector("[data-receipts]");
const open = new Map(); // what is not in a block yet: where it is read -> its line

async function send(path, body) {
  const headers = { "Content-Type": "application/json" };
  const token = form.elements.token?.value;
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method: "POST", headers, body });
  const told = await answer.json();
  if (!answer.ok) {
    const after = answer.headers.get("Retry-After");
    throw new Error(`${told.title}: ${told.detail}${after ? ` (repeat in ${after} s)` : ""}`);
  }
  return told;
}

function readForm() {
  const signed = form.elements.signed?.value.trim();
  if (signed) return signed;
  const text = form.elements.amount.value.trim();
  return JSON.stringify({
    sender: form.elements.sender.value,
    recipient: form.elements.recipient.value,
    // what is no plain number is sent as it is, for the service to say what is wrong with it
    amount: /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text,
  });
}

async function act(button, path, body, what) {
  const error = form.querySelector("[data-error]");
  error.textContent = "";
  button.disabled = true;
  try {
    add(await send(path, body), what);
  } catch (problem) {
    error.textContent = problem instanceof TypeError ? "This node is not responding; send it again." : problem.message;
  } finally {
    button.disabled = false;
  }
}

function add(receipt, what) {
  document.querySelector("[data-receipts-title]").hidden = false;
  const line = document.createElement("li");
  const [name, id, status] = ["span", "code", "span"].map((tag) =>
    line.appendChild(document.createElement(tag)),
  );
  status.className = "status";
  name.textContent = what;
  id.textContent = `${receipt.id.slice(0, 16)}...`;
  id.title = receipt.id;
  status.textContent = receipt.status;
  list.prepend(line);
  open.set(receipt.links.self, line);
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

async function look() {
  for (const [path, line] of [...open]) {
    if (!line.isConnected) {
      open.delete(path);
      continue;
    }
    const answer = await fetch(path).catch(() => null);
    if (!answer?.ok) continue; // asked again with the next news
    show(path, line, await answer.json());
  }
}

function show(path, line, state) {
  const status = line.querySelector(".status");
  status.textContent = state.status;
  if (!state.block) return;
  open.delete(path);
  line.classList.add("done");
  const link = document.createElement("a");
  link.href = `/blocks/${state.block.hash}`;
  link.textContent = `block ${state.block.index}`;
  status.append(" in ", link);
  if (path.startsWith("/transactions/")) {
    const proof = document.createElement("a");
    proof.href = `/tx/${state.id}`;
    proof.textContent = "proof";
    status.append(", ", proof);
  }
}

let looking = Promise.resolve();
document.addEventListener("minequeue:state", () => {
  looking = looking.then(look);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(form.elements.send, "/chain/new", readForm(), "transaction");
});
form.elements.mine.addEventListener("click", () => {
  act(form.elements.mine, "/chain/mine", null, "mine request");
});
form.hidden = false;
