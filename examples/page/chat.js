// The page of the chat: lines as the server sends them, "name: what was said" and "* what happened".
"use strict";

const $ = (id) => document.getElementById(id);
const maxLines = 500;
let socket = null, delay = 500;

function add(line, told) {
  const item = document.createElement("li");
  const at = told ? -1 : line.indexOf(": ");
  if (at > 0) {
    const name = document.createElement("b");
    name.textContent = line.slice(0, at);
    name.style.setProperty("--hue", String([...line.slice(0, at)].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 65521, 7) * 137.5 % 360));
    item.append(name, line.slice(at));
  } else {
    item.className = "told";
    item.textContent = line;
  }
  const lines = $("lines"), follows = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
  lines.append(item);
  while (lines.children.length > maxLines) lines.firstChild.remove();
  if (follows) lines.scrollTop = lines.scrollHeight;
}

function connect(room, nick) {
  const ws = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/${encodeURIComponent(room)}?nick=${encodeURIComponent(nick)}`);
  socket = ws;
  ws.onopen = () => {
    document.documentElement.dataset.link = "open";
    $("link-text").textContent = `Connected to ${location.host}`;
    delay = 500;
  };
  ws.onmessage = ({data}) => add(String(data), String(data).startsWith("* "));
  ws.onclose = () => {
    document.documentElement.dataset.link = "waiting";
    $("link-text").textContent = "The server has gone away. Trying again";
    setTimeout(() => connect(room, nick), delay);
    delay = Math.min(10_000, delay * 1.7);
  };
}

$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const room = $("room-name").value.trim();
  history.replaceState(null, "", `/${encodeURIComponent(room)}`);
  $("room").textContent = room;
  $("entrance").hidden = true;
  $("inside").hidden = false;
  $("line").focus();
  connect(room, $("nick").value.trim());
});
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!$("line").value || socket?.readyState !== WebSocket.OPEN) return;
  socket.send($("line").value);
  $("line").value = "";
});

if (location.pathname.length > 1) {
  try { $("room-name").value = decodeURIComponent(location.pathname.slice(1)); } catch { /* not a name: the default stays */ }
}
