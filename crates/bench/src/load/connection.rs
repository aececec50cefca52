//! One connection of HTTP/1.1 that stays open, with one request under way at most.

use std::{
    io::{ErrorKind, Read, Write},
    net::{self, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use httparse::Status;
use mio::{Interest, Registry, Token, event::Source, net::TcpStream};

use super::request::{Header, Request};

const MAX_LINES: usize = 32;
const TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that never blocks.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, read at leisure.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<Header>,
    pub(crate) body: String,
}

/// Sends one request on a connection of its own and waits for the answer, for ten seconds at most. It must be 200.
pub(crate) fn ask(address: SocketAddr, request: &Request) -> Result<Answer> {
    let mut stream = net::TcpStream::connect(address).with_context(|| format!("no connection to {address}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.template().next())?;
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).with_context(|| format!("no answer from {address}"))?;
        ensure!(length > 0, "{address} ended the connection: {:?}", String::from_utf8_lossy(&received));
        received.extend_from_slice(buffer.get(..length).unwrap_or_default());
        if let Some((answer, _)) = parse(&received, Answer::of)? {
            ensure!(answer.status == 200, "{address} answered {}: {}", answer.status, answer.body);
            return Ok(answer);
        }
    }
}

impl Answer {
    /// The value of a header, empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let line = self.headers.iter().find(|(line, _)| line.eq_ignore_ascii_case(name));
        line.map_or("", |(_, value)| value.as_str())
    }

    fn of(head: &httparse::Response<'_, '_>, body: &[u8]) -> Self {
        let lines = head.headers.iter();
        Self {
            status: head.code.unwrap_or_default(),
            headers: lines
                .map(|line| (line.name.to_owned(), String::from_utf8_lossy(line.value).into_owned()))
                .collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}

impl Connection {
    pub(super) fn open(address: SocketAddr, registry: &Registry, token: usize) -> Result<Self> {
        let stream = net::TcpStream::connect(address).with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        stream.register(registry, Token(token), Interest::READABLE)?;
        Ok(Self { stream, received: Vec::with_capacity(4096) })
    }

    pub(super) fn send(&mut self, request: &[u8]) -> Result<()> {
        let length = self.stream.write(request).context("the request could not be sent")?;
        ensure!(length == request.len(), "only {length} of {} bytes could be sent at once", request.len());
        Ok(())
    }

    /// Reads what there is; true once the answer is complete. It must be 200.
    pub(super) fn receive(&mut self) -> Result<bool> {
        while self.read()? {}
        let Some((status, end)) = parse(&self.received, |head, _| head.code)? else { return Ok(false) };
        ensure!(status == Some(200), "not answered with 200: {}", String::from_utf8_lossy(&self.received));
        ensure!(end == self.received.len(), "more was answered than asked");
        self.received.clear();
        Ok(true)
    }

    /// True if there may be more: nobody says so again. A buffer that is not full has taken all there was.
    fn read(&mut self) -> Result<bool> {
        let mut buffer = [0; 4096];
        let length = match self.stream.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            read => read.context("the answer could not be read")?,
        };
        ensure!(length > 0, "the proxy ended the connection: {:?}", String::from_utf8_lossy(&self.received));
        self.received.extend_from_slice(buffer.get(..length).unwrap_or_default());
        Ok(length == buffer.len())
    }
}

/// What `read` makes of an answer, and where that answer ends; None while it is not complete.
fn parse<T>(bytes: &[u8], read: impl Fn(&httparse::Response<'_, '_>, &[u8]) -> T) -> Result<Option<(T, usize)>> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut response = httparse::Response::new(&mut lines);
    let Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let length = response.headers.iter().find(|line| line.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|line| str::from_utf8(line.value).ok()?.parse::<usize>().ok());
    let Some(length) = length else { bail!("an answer without a content-length") };
    let body = bytes.get(head..head + length);
    Ok(body.map(|body| (read(&response, body), head + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nX-Seen: s2\r\nContent-Length: 2\r\n\r\nok";

    #[test]
    fn an_answer_is_complete_with_its_body() {
        for end in 0..ANSWER.len() {
            assert!(parse(&ANSWER[..end], Answer::of).unwrap().is_none(), "{end}");
        }
        let (answer, end) = parse(ANSWER, Answer::of).unwrap().unwrap();
        assert_eq!((answer.status, answer.header("x-seen"), answer.body.as_str()), (200, "s2", "ok"));
        assert_eq!((answer.header("x-other"), end), ("", ANSWER.len()));
    }

    #[test]
    fn what_has_no_length_is_refused() {
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n", Answer::of).is_err());
        assert!(parse(b"SSH-2.0\r\n", Answer::of).is_err());
    }
}
