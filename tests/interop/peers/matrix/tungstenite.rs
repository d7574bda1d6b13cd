// tungstenite as a peer.
use sha2::{Digest, Sha256};
use std::net::{Shutdown, TcpListener, TcpStream};
use tungstenite::client::ClientRequestBuilder;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Bytes, Message, WebSocket};

struct Echo {
    ws: WebSocket<TcpStream>,
    fragments: usize,
    hash: Sha256,
}

impl Echo {
    fn send(&mut self, data: Bytes, kind: Data) -> tungstenite::Result<()> {
        self.hash.update(&data);
        for i in 0..self.fragments {
            let piece = data.slice(data.len() * i / self.fragments..data.len() * (i + 1) / self.fragments);
            let kind = if i == 0 { kind } else { Data::Continue };
            self.ws.send(Message::Frame(Frame::message(piece, OpCode::Data(kind), i + 1 == self.fragments)))?;
        }
        Ok(())
    }

    fn obey(&mut self, order: &str) -> tungstenite::Result<()> {
        let words: Vec<&str> = order.splitn(3, ' ').collect();
        let number: u16 = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        match words[0] {
            "/fragments" => self.fragments = number.into(),
            "/pings" => {
                for i in 0..number {
                    self.ws.send(Message::Ping(i.to_string().into()))?;
                }
            }
            "/close" => {
                let reason = words.get(2).copied().unwrap_or("").to_string().into();
                self.ws.close((number != 0).then(|| CloseFrame { code: number.into(), reason }))?;
            }
            _ => self.ws.get_ref().shutdown(Shutdown::Both)?,
        }
        Ok(())
    }

    fn converse(mut self) {
        let (mut code, mut reason, mut pongs) = (1006, String::new(), 0);
        loop {
            let done = match self.ws.read() {
                Ok(Message::Text(text)) if text.starts_with('/') => self.obey(text.as_str()),
                Ok(Message::Text(text)) => self.send(text.into(), Data::Text),
                Ok(Message::Binary(data)) => self.send(data, Data::Binary),
                Ok(Message::Pong(_)) => {
                    pongs += 1;
                    Ok(())
                }
                Ok(Message::Close(frame)) => {
                    code = frame.as_ref().map_or(1005, |close| close.code.into());
                    reason = frame.map_or(String::new(), |close| close.reason.to_string());
                    Ok(())
                }
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            if done.is_err() {
                break;
            }
        }
        let digest: String = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        println!(r#"{{"code": {code}, "reason": "{reason}", "pongs": {pongs}, "sha256": "{digest}"}}"#);
    }
}

fn converse(ws: WebSocket<TcpStream>) {
    ws.get_ref().set_nodelay(true).unwrap();
    Echo { ws, fragments: 1, hash: Sha256::new() }.converse();
}

fn choose(request: &Request, mut response: Response) -> Result<Response, tungstenite::handshake::server::ErrorResponse> {
    if request.headers().get("Sec-WebSocket-Protocol").is_some() {
        response.headers_mut().append("Sec-WebSocket-Protocol", "echo".parse().unwrap());
    }
    Ok(response)
}

fn call(url: &str) -> Result<WebSocket<TcpStream>, Box<dyn std::error::Error>> {
    let request = ClientRequestBuilder::new(url.parse()?).with_sub_protocol("echo");
    let host = url.trim_start_matches("ws://").split('/').next().unwrap_or("");
    Ok(tungstenite::client(request, TcpStream::connect(host)?)?.0)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "server" {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        println!("listening on {}", listener.local_addr().unwrap().port());
        for stream in listener.incoming() {
            if let Ok(ws) = tungstenite::accept_hdr(stream.unwrap(), choose) {
                converse(ws);
            }
        }
    }
    for url in &words[1..] {
        match call(url) {
            Ok(ws) => converse(ws),
            Err(error) => println!(r#"{{"error": "{}"}}"#, error.to_string().replace('"', "'")),
        }
    }
}
