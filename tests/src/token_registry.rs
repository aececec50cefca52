//! A registry that wants a token from elsewhere, as the public ones do; and has nothing.

use std::{
    io::{BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
};

use anyhow::Result;
use header_edit::RequestHeaders;

use crate::http1;

/// `jessie:canary`, in Base64.
const BASIC: &[u8] = b"Basic amVzc2llOmNhbmFyeQ==";
const BEARER: &[u8] = b"Bearer a-token";
const TOKEN_QUERY: &[u8] = b"/token?scope=repository%3Aprivate%3Apull&service=lanes";

/// Gives a token to [`crate::registry::USER`] alone, for pulling from the repository `private`. Ends with the process.
///
/// # Errors
/// There is no free port.
pub fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client closes connections as it likes.
            thread::spawn(move || serve(&stream, address).ok());
        }
    });
    Ok(address)
}

fn serve(mut stream: &TcpStream, address: SocketAddr) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let head = http1::read_head(&mut reader)?;
        if head.is_empty() {
            return Ok(());
        }
        let request = http1::decode(&head)?;
        let path = request.first(":path").unwrap_or_default();
        let authorization = request.first("authorization").unwrap_or_default();
        let (status, body) = match (path.as_ref(), authorization.as_ref()) {
            (TOKEN_QUERY, BASIC) => ("200 OK", r#"{"token": "a-token"}"#),
            (path, _) if path.starts_with(b"/token") => ("401 Unauthorized", "who are you?"),
            (_, BEARER) => ("404 Not Found", r#"{"errors": [{"code": "MANIFEST_UNKNOWN"}]}"#),
            _ => ("401 Unauthorized", ""),
        };
        let challenge = format!(r#"www-authenticate: Bearer realm="http://{address}/token",service="lanes""#);
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\n{challenge}\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes())?;
    }
}
