// What each peer in Go does with a connection (README.md).
package main

import (
    "crypto/sha256"
    "encoding/hex"
    "encoding/json"
    "fmt"
    "net"
    "net/http"
    "os"
    "strconv"
    "strings"
)

// ways are a peer's own. Read returns an error once the connection has ended; Ended says how.
type ways interface {
    Read() (text bool, data []byte, err error)
    Write(text bool, pieces [][]byte) error
    Ping(payload string) error
    Close(code int, reason string)
    Cut()
    Ended(err error) (code int, reason string)
    Pongs() int
}

func pieces(data []byte, count int) [][]byte {
    var made [][]byte
    for i := 0; i < count; i++ {
        made = append(made, data[len(data)*i/count:len(data)*(i+1)/count])
    }
    return made
}

func obey(ws ways, order string, fragments *int) {
    words := strings.SplitN(order+"  ", " ", 3)
    number, _ := strconv.Atoi(words[1])
    switch words[0] {
    case "/fragments":
        *fragments = number
    case "/pings":
        for i := 0; i < number; i++ {
            ws.Ping(strconv.Itoa(i))
        }
    case "/close":
        ws.Close(number, strings.TrimSpace(words[2]))
    case "/cut":
        ws.Cut()
    }
}

type message struct {
    text bool
    data []byte
}

// converse reads beside what it does, since some wait for a pong or a Close only while another reads.
func converse(ws ways) {
    hash, fragments := sha256.New(), 1
    came, done := make(chan message, 1000), make(chan struct{})
    go func() {
        for each := range came {
            if each.text && strings.HasPrefix(string(each.data), "/") {
                obey(ws, string(each.data), &fragments)
            } else {
                hash.Write(each.data)
                ws.Write(each.text, pieces(each.data, fragments))
            }
        }
        close(done)
    }()
    text, data, err := ws.Read()
    for ; err == nil; text, data, err = ws.Read() {
        came <- message{text, data}
    }
    close(came)
    <-done
    code, reason := ws.Ended(err)
    say(map[string]any{"code": code, "reason": reason, "pongs": ws.Pongs(), "sha256": hex.EncodeToString(hash.Sum(nil))})
}

func say(what map[string]any) {
    line, _ := json.Marshal(what)
    fmt.Println(string(line))
}

// run plays the role that the command line names. A client's function has no connection if it could not be opened.
func run(serve http.HandlerFunc, call func(url string) (ways, error)) {
    if os.Args[1] == "server" {
        listener, err := net.Listen("tcp", "127.0.0.1:0")
        if err != nil {
            panic(err)
        }
        fmt.Println("listening on", listener.Addr().(*net.TCPAddr).Port)
        panic(http.Serve(listener, serve))
    }
    for _, url := range os.Args[2:] {
        if ws, err := call(url); err != nil {
            say(map[string]any{"error": err.Error()})
        } else {
            converse(ws)
        }
    }
}
