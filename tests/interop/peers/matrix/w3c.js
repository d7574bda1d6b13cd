// A connection through the W3C interface, wherever there is one: what it did, as an object (README.md).
function converse(ws) {
  return new Promise((resolve) => {
    const parts = [];
    let opened = ws.readyState === 1;
    ws.binaryType = "arraybuffer";
    ws.onopen = () => { opened = true; };
    ws.onmessage = ({data}) => {
      if (typeof data === "string" && data.startsWith("/")) {
        const [, code, reason] = data.split(" ");
        if (code) ws.close(Number(code), reason);
        else ws.close();
        return;
      }
      parts.push(data);
      ws.send(data);
    };
    ws.onerror = () => {};
    ws.onclose = async ({code, reason}) => {
      if (!opened) return resolve({error: `it did not open: ${code} ${reason}`});
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
      resolve({code, reason, pongs: null, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")});
    };
  });
}

function talk(url) { // eslint-disable-line no-unused-vars
  return converse(new WebSocket(url, ["echo"]));
}
