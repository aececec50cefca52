//! A server that answers whatever a test wants, for as long as anybody listens, and remembers what it was told.

use std::{
    io::{BufReader, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use header_edit::RequestHeaders;

use crate::http1;

/// What it answers.
#[derive(Clone)]
pub struct Answer {
    /// The status line's end, such as `200 OK`.
    pub status: &'static str,
    /// More header lines, each ending in `\r\n`.
    pub headers: String,
    /// What follows.
    pub body: Body,
}

/// What follows a head.
#[derive(Clone)]
pub enum Body {
    /// This.
    Whole(Vec<u8>),
    /// This, again and again.
    Endless(&'static str),
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The path, with the query.
    pub path: String,
    /// The credentials that came along; empty if none did.
    pub authorization: String,
}

/// The server. Ends with the process.
pub struct HostileRegistry {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Answer {
    /// An answer with a body.
    pub fn new(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: String::new(), body: Body::Whole(body.into()) }
    }

    /// An answer that never ends.
    pub fn endless(status: &'static str, part: &'static str) -> Self {
        Self { status, headers: String::new(), body: Body::Endless(part) }
    }

    /// The same with one more header line.
    #[must_use]
    pub fn with(mut self, header: &str) -> Self {
        self.headers += header;
        self.headers += "\r\n";
        self
    }
}

impl HostileRegistry {
    /// Answers with what `answer` makes of a path.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(ip: IpAddr, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let remembered = asked.clone();
        let address = http1::serve(ip, move |head, connection| reply(head, connection, &answer, &remembered))?;
        Ok(Self { address, asked })
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn reply(
    head: &[u8],
    connection: &mut BufReader<TcpStream>,
    answer: &impl Fn(&str) -> Answer,
    asked: &Mutex<Vec<Asked>>,
) -> Result<Vec<u8>> {
    let request = http1::decode(head)?;
    let text = |name| String::from_utf8_lossy(&request.first(name).unwrap_or_default()).into_owned();
    let path = text(":path");
    let length = text("content-length").parse().unwrap_or(0);
    std::io::copy(&mut connection.by_ref().take(length), &mut std::io::sink())?;
    let told = Asked { path: path.clone(), authorization: text("authorization") };
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    let Answer { status, headers, body } = answer(&path);
    match body {
        Body::Whole(body) => {
            let mut whole = http1::answer(status, &headers, &body);
            if text(":method") == "HEAD" {
                whole.truncate(whole.len() - body.len());
            }
            Ok(whole)
        }
        Body::Endless(part) => {
            let stream = connection.get_mut();
            write!(stream, "HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n")?;
            let parts = part.repeat(1 + (64 << 10) / part.len().max(1));
            loop {
                stream.write_all(parts.as_bytes())?;
            }
        }
    }
}
