// gorilla/websocket as a peer.
package main

import (
    "net/http"

    "github.com/gorilla/websocket"
)

type gorilla struct {
    *websocket.Conn
    pongs int
}

func opened(ws *websocket.Conn) *gorilla {
    made := &gorilla{Conn: ws}
    ws.SetPongHandler(func(string) error { made.pongs++; return nil })
    return made
}

func (ws *gorilla) Read() (bool, []byte, error) {
    kind, data, err := ws.ReadMessage()
    return kind == websocket.TextMessage, data, err
}

func (ws *gorilla) Write(text bool, pieces [][]byte) error {
    kind := websocket.BinaryMessage
    if text {
        kind = websocket.TextMessage
    }
    if len(pieces) == 1 {
        return ws.WriteMessage(kind, pieces[0])
    }
    writer, err := ws.NextWriter(kind)
    if err != nil {
        return err
    }
    for _, piece := range pieces {
        writer.Write(piece)
    }
    return writer.Close()
}

func (ws *gorilla) Ping(payload string) error { return ws.WriteMessage(websocket.PingMessage, []byte(payload)) }
func (ws *gorilla) Cut()                      { ws.UnderlyingConn().Close() }
func (ws *gorilla) Pongs() int                { return ws.pongs }

func (ws *gorilla) Close(code int, reason string) {
    if code == 0 {
        code = websocket.CloseNoStatusReceived
    }
    ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
}

func (ws *gorilla) Ended(err error) (int, string) {
    ws.Conn.Close()
    if end, ok := err.(*websocket.CloseError); ok {
        reason := end.Text
        if end.Code == websocket.CloseAbnormalClosure {
            reason = ""
        }
        return end.Code, reason
    }
    return websocket.CloseAbnormalClosure, ""
}

func main() {
    upgrader := websocket.Upgrader{EnableCompression: true, Subprotocols: []string{"echo"}}
    dialer := websocket.Dialer{EnableCompression: true, Subprotocols: []string{"echo"}}
    run(func(w http.ResponseWriter, r *http.Request) {
        if ws, err := upgrader.Upgrade(w, r, nil); err == nil {
            converse(opened(ws))
        }
    }, func(url string) (ways, error) {
        ws, _, err := dialer.Dial(url, nil)
        if err != nil {
            return nil, err
        }
        return opened(ws), nil
    })
}
