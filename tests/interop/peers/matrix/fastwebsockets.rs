// fastwebsockets over hyper as a peer.
use fastwebsockets::{handshake, upgrade, FragmentCollector, Frame, OpCode, Payload, WebSocket, WebSocketError};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use std::future::Future;
use tokio::net::{TcpListener, TcpStream};

const PROTOCOL: &str = "Sec-WebSocket-Protocol";

struct Echo {
    ws: FragmentCollector<TokioIo<Upgraded>>,
    fragments: usize,
    hash: Sha256,
}

impl Echo {
    async fn send(&mut self, data: &[u8], kind: OpCode) -> Result<(), WebSocketError> {
        self.hash.update(data);
        for i in 0..self.fragments {
            let piece = &data[data.len() * i / self.fragments..data.len() * (i + 1) / self.fragments];
            let kind = if i == 0 { kind } else { OpCode::Continuation };
            self.ws.write_frame(Frame::new(i + 1 == self.fragments, kind, None, Payload::Borrowed(piece))).await?;
        }
        Ok(())
    }

    // Whether the connection goes on.
    async fn obey(&mut self, order: &str) -> Result<bool, WebSocketError> {
        let words: Vec<&str> = order.splitn(3, ' ').collect();
        let number: u16 = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        match words[0] {
            "/fragments" => self.fragments = number.into(),
            "/pings" => {
                for i in 0..number {
                    let payload = i.to_string().into_bytes();
                    self.ws.write_frame(Frame::new(true, OpCode::Ping, None, Payload::Owned(payload))).await?;
                }
            }
            "/close" if number == 0 => self.ws.write_frame(Frame::close_raw(Payload::Borrowed(b""))).await?,
            "/close" => self.ws.write_frame(Frame::close(number, words[2].as_bytes())).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

async fn converse(mut ws: WebSocket<TokioIo<Upgraded>>) {
    ws.set_max_message_size(1 << 26);
    let mut echo = Echo { ws: FragmentCollector::new(ws), fragments: 1, hash: Sha256::new() };
    let (mut code, mut reason, mut pongs) = (1006, String::new(), 0);
    while let Ok(frame) = echo.ws.read_frame().await {
        let done = match frame.opcode {
            OpCode::Text if frame.payload.starts_with(b"/") => echo.obey(&String::from_utf8_lossy(&frame.payload)).await,
            OpCode::Text | OpCode::Binary => echo.send(&frame.payload, frame.opcode).await.map(|_| true),
            OpCode::Pong => {
                pongs += 1;
                Ok(true)
            }
            OpCode::Close => {
                code = frame.payload.get(..2).map_or(1005, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
                reason = String::from_utf8_lossy(frame.payload.get(2..).unwrap_or(b"")).into_owned();
                Ok(false)
            }
            _ => Ok(true),
        };
        if !matches!(done, Ok(true)) {
            break;
        }
    }
    drop(echo.ws);
    let digest: String = echo.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!(r#"{{"code": {code}, "reason": "{reason}", "pongs": {pongs}, "sha256": "{digest}"}}"#);
}

async fn accept(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (mut response, upgraded) = upgrade::upgrade(&mut request)?;
    response.headers_mut().insert(PROTOCOL, "echo".parse().unwrap());
    tokio::spawn(async move {
        if let Ok(ws) = upgraded.await {
            converse(ws).await;
        }
    });
    Ok(response)
}

async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap().port());
    loop {
        let stream = TokioIo::new(listener.accept().await.unwrap().0);
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(stream, hyper::service::service_fn(accept));
        tokio::spawn(connection.with_upgrades());
    }
}

struct Spawn;

impl<F> hyper::rt::Executor<F> for Spawn
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}

async fn call(url: &str) -> Result<WebSocket<TokioIo<Upgraded>>, Box<dyn std::error::Error>> {
    let (host, path) = url.trim_start_matches("ws://").split_once('/').unwrap_or((url, ""));
    let request = Request::builder()
        .uri(format!("/{path}"))
        .header("Host", host)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "upgrade")
        .header("Sec-WebSocket-Key", handshake::generate_key())
        .header("Sec-WebSocket-Version", "13")
        .header(PROTOCOL, "echo")
        .body(Empty::<Bytes>::new())?;
    Ok(handshake::client(&Spawn, request, TcpStream::connect(host).await?).await?.0)
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "server" {
        serve().await;
    }
    for url in &words[1..] {
        match call(url).await {
            Ok(ws) => converse(ws).await,
            Err(error) => println!(r#"{{"error": "{}"}}"#, error.to_string().replace('"', "'")),
        }
    }
}
