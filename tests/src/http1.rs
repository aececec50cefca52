//! HTTP/1.1 with every byte under control, which no well-behaved client offers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use header_edit::{HeaderList, RequestHeaders};
use httparse::Status;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Lines beyond this number are not expected from anybody here.
const MAX_LINES: usize = 128;

/// What came back.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines, names in lower case.
    pub headers: HeaderList,
    /// What follows the head.
    pub body: Vec<u8>,
}

/// Sends one request on a connection of its own and reads the answer.
///
/// # Errors
/// No connection, no answer within 30 seconds, or none that is HTTP.
pub fn send(address: SocketAddr, request: &HeaderList) -> Result<Response> {
    send_head(address, &encode(request, "connection: close\r\n")?)
}

/// The same of a head that need not be one of HTTP.
///
/// # Errors
/// As for [`send`].
pub fn send_head(address: SocketAddr, head: &[u8]) -> Result<Response> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("failed to connect to {address}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(head)?;
    receive(&mut BufReader::new(stream))
}

/// A connection that stays open until somebody ends it.
#[derive(Debug)]
pub struct Kept {
    address: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

impl Kept {
    /// Connects with the first request.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, open: None }
    }

    /// Sends a request and reads the answer. After a refusal, the next one goes by another connection.
    ///
    /// # Errors
    /// No connection, no answer within 30 seconds, or none that is HTTP.
    pub fn send(&mut self, request: &HeaderList) -> Result<Response> {
        let mut connection = match self.open.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        // Envoy may refuse, and end the connection, before it has read all of it: its answer is there all the same.
        let _ = connection.get_mut().write_all(&encode(request, "")?);
        let response = receive(&mut connection)?;
        self.open = Some(connection).filter(|_| response.status == 200);
        Ok(response)
    }
}

/// A GET request for `/` with these lines.
pub fn get(lines: &[(&str, &str)]) -> HeaderList {
    [(":authority", "a"), (":method", "GET"), (":path", "/")].iter().chain(lines).copied().collect()
}

/// Sends one request to an [`Echo`](crate::echo::Echo), and says what arrived there.
///
/// # Errors
/// As for [`send`], or the answer is not 200.
pub fn arrived(address: SocketAddr, request: &HeaderList) -> Result<HeaderList> {
    let response = send(address, request)?;
    ensure!(response.status == 200, "{}: {}", response.status, response.body.escape_ascii());
    decode(&response.body)
}

/// The first line of that name, if there is one.
pub fn text(headers: &HeaderList, name: &str) -> Option<String> {
    headers.all(name).next().map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Listens on a port that the system chooses, and answers the requests of every connection, one after the other: `answer` gets
/// the head of each, byte for byte, and the connection for what follows it. Ends with the process.
///
/// # Errors
/// There is no free port.
pub(crate) fn serve<A>(ip: IpAddr, answer: A) -> Result<SocketAddr>
where
    A: Fn(&[u8], &mut BufReader<TcpStream>) -> Result<Vec<u8>> + Send + Sync + 'static,
{
    let listener = TcpListener::bind((ip, 0)).context("failed to listen")?;
    let (address, answer) = (listener.local_addr()?, Arc::new(answer));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A client closes connections as it likes; a failure to answer shows there, as a connection without an answer.
            thread::spawn(move || serve_connection(stream, &*answer).ok());
        }
    });
    Ok(address)
}

fn serve_connection(
    stream: TcpStream,
    answer: &impl Fn(&[u8], &mut BufReader<TcpStream>) -> Result<Vec<u8>>,
) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let head = read_head(&mut reader)?;
        if head.is_empty() {
            return Ok(());
        }
        let answer = answer(&head, &mut reader)?;
        // In one piece: two writes would wait for each other's acknowledgement.
        reader.get_mut().write_all(&answer)?;
    }
}

/// An answer: the status line's end, such as `200 OK`; more header lines, each ending in `\r\n`; and the body.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// Reads one response.
pub(crate) fn receive(reader: &mut impl BufRead) -> Result<Response> {
    let head = read_head(reader).context("failed to read the answer")?;

    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut response = httparse::Response::new(&mut lines);
    let (Status::Complete(_), Some(status)) = (response.parse(&head)?, response.code) else {
        bail!("the answer ends inside its head: `{}`", head.escape_ascii());
    };
    let length = response.headers.iter().find(|line| line.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|line| str::from_utf8(line.value).ok()?.parse().ok());
    let headers = response.headers.iter().map(|line| (line.name.to_ascii_lowercase(), line.value)).collect();
    let mut body = Vec::new();
    // Not to the end of the connection: Envoy leaves it open for a second after a request that it refuses.
    reader.take(length.unwrap_or(u64::MAX)).read_to_end(&mut body).context("failed to read the answer's body")?;
    Ok(Response { status, headers, body })
}

/// Up to and including the empty line, or to the end of the connection.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && reader.read_until(b'\n', &mut head)? > 0 {}
    Ok(head)
}

/// The head of a request as header lines, pseudo-headers among them.
///
/// # Errors
/// It is no complete head of HTTP/1.
pub fn decode(head: &[u8]) -> Result<HeaderList> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut request = httparse::Request::new(&mut lines);
    if request.parse(head)?.is_partial() {
        bail!("the head of the request is incomplete: {}", head.escape_ascii());
    }
    let mut headers = HeaderList::default();
    headers.push(":method", request.method.unwrap_or_default());
    headers.push(":path", request.path.unwrap_or_default());
    for line in request.headers.iter() {
        let name = line.name.to_ascii_lowercase();
        headers.push(if name == "host" { ":authority".to_owned() } else { name }, line.value);
    }
    Ok(headers)
}

fn encode(request: &HeaderList, line: &str) -> Result<Vec<u8>> {
    let pseudo = |name| request.first(name).with_context(|| format!("the request has no {name}"));
    let mut head = [pseudo(":method")?.as_ref(), b" ", pseudo(":path")?.as_ref(), b" HTTP/1.1\r\nhost: "].concat();
    head.extend_from_slice(&pseudo(":authority")?);
    head.extend_from_slice(&[b"\r\n", line.as_bytes()].concat());
    for (name, value) in request.lines().filter(|(name, _)| !name.starts_with(':')) {
        head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend_from_slice(b"\r\n");
    Ok(head)
}
