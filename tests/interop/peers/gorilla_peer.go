// gorilla/websocket as a peer: gorilla_peer server, or gorilla_peer client URL.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

func textOf(size int) string {
	var text strings.Builder
	for n := 0; text.Len()+64 < size; n++ {
		fmt.Fprintf(&text, `{"n":%d,"t":"é中🧵 la trame"},`, n*7919%10007)
	}
	return text.String() + strings.Repeat("x", size-text.Len())
}

func back(ws *websocket.Conn, kind int, sent string) error {
	got, data, err := ws.ReadMessage()
	if err != nil {
		return err
	}
	if got != kind || !bytes.Equal(data, []byte(sent)) {
		return errors.New("different bytes came back")
	}
	return nil
}

func echoed(ws *websocket.Conn, kind int, text string) error {
	if err := ws.WriteMessage(kind, []byte(text)); err != nil {
		return err
	}
	return back(ws, kind, text)
}

func talk(ws *websocket.Conn) error {
	for round := 0; round < 2; round++ {
		for _, size := range []int{0, 1, 125, 1000, 1000, 5000, 70000, 300000} {
			if err := echoed(ws, websocket.TextMessage, textOf(size)); err != nil {
				return err
			}
		}
		if err := echoed(ws, websocket.BinaryMessage, strings.Repeat("\x00", 300000)); err != nil {
			return err
		}
		ws.EnableWriteCompression(false)
		if err := echoed(ws, websocket.TextMessage, textOf(3000)); err != nil {
			return err
		}
		ws.EnableWriteCompression(true)
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte("/prepared 3")); err != nil {
		return err
	}
	for round := 0; round < 3; round++ {
		if err := back(ws, websocket.TextMessage, fmt.Sprintf("the news of today, for you: %d%s", round, textOf(2000))); err != nil {
			return err
		}
		if err := back(ws, websocket.TextMessage, "the news of today: "+textOf(2000)); err != nil {
			return err
		}
	}
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := ws.WriteMessage(websocket.CloseMessage, bye); err != nil {
		return err
	}
	if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		return err
	}
	return nil
}

func client(url string) error {
	dialer := websocket.Dialer{EnableCompression: true}
	ws, _, err := dialer.Dial(url, nil)
	if err != nil {
		return err
	}
	return talk(ws)
}

func server() error {
	upgrader := websocket.Upgrader{EnableCompression: true, CheckOrigin: func(*http.Request) bool { return true }}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr().(*net.TCPAddr).Port)
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for {
			kind, data, err := ws.ReadMessage()
			if err != nil || ws.WriteMessage(kind, data) != nil {
				return
			}
		}
	}))
}

func main() {
	run := server
	if os.Args[1] == "client" {
		run = func() error { return client(os.Args[2]) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("closed")
}
