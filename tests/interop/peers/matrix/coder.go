// coder/websocket as a peer.
package main

import (
    "context"
    "errors"
    "net/http"
    "time"

    "github.com/coder/websocket"
)

type coder struct {
    *websocket.Conn
    pongs int
}

func within() context.Context {
    bounded, _ := context.WithTimeout(context.Background(), 20*time.Second)
    return bounded
}

func opened(ws *websocket.Conn) *coder {
    ws.SetReadLimit(1 << 26)
    return &coder{Conn: ws}
}

func (ws *coder) Read() (bool, []byte, error) {
    kind, data, err := ws.Conn.Read(context.Background())
    return kind == websocket.MessageText, data, err
}

func (ws *coder) Write(text bool, pieces [][]byte) error {
    kind := websocket.MessageBinary
    if text {
        kind = websocket.MessageText
    }
    if len(pieces) == 1 {
        return ws.Conn.Write(within(), kind, pieces[0])
    }
    writer, err := ws.Writer(within(), kind)
    if err != nil {
        return err
    }
    for _, piece := range pieces {
        writer.Write(piece)
    }
    return writer.Close()
}

// Ping waits for the pong.
func (ws *coder) Ping(string) error {
    err := ws.Conn.Ping(within())
    if err == nil {
        ws.pongs++
    }
    return err
}

func (ws *coder) Cut()       { ws.CloseNow() }
func (ws *coder) Pongs() int { return ws.pongs }

func (ws *coder) Close(code int, reason string) {
    if code == 0 {
        code = int(websocket.StatusNoStatusRcvd)
    }
    ws.Conn.Close(websocket.StatusCode(code), reason)
}

func (ws *coder) Ended(err error) (int, string) {
    ws.CloseNow()
    var end websocket.CloseError
    if errors.As(err, &end) {
        return int(end.Code), end.Reason
    }
    return int(websocket.StatusAbnormalClosure), ""
}

func main() {
    protocols, compression := []string{"echo"}, websocket.CompressionContextTakeover
    accepting := websocket.AcceptOptions{Subprotocols: protocols, CompressionMode: compression, CompressionThreshold: 1}
    dialing := websocket.DialOptions{Subprotocols: protocols, CompressionMode: compression, CompressionThreshold: 1}
    run(func(w http.ResponseWriter, r *http.Request) {
        ws, err := websocket.Accept(w, r, &accepting)
        if err == nil {
            converse(opened(ws))
        }
    }, func(url string) (ways, error) {
        ws, _, err := websocket.Dial(within(), url, &dialing)
        if err != nil {
            return nil, err
        }
        return opened(ws), nil
    })
}
