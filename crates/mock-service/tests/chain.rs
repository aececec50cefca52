//! The binary, with real sockets: what a chain prints, what it passes on, and how it fails.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    thread,
};

const MOCKC: [(&str, &str); 2] = [("NAME", "mockc"), ("VERSION", "v2")];
const MOCKB: [(&str, &str); 2] = [("NAME", "mockb"), ("VERSION", "v1")];

#[test]
fn a_chain_names_every_service_it_passed() {
    let mockc = Service::start("127.0.0.1:0", &MOCKC);
    let upstream = format!("http://{}/mock", mockc.address);
    let mockb = Service::start("127.0.0.1:0", &[&MOCKB[..], &[("UPSTREAM_URL", &upstream)]].concat());
    let expected = "-> mockb(version: v1, ip: 127.0.0.1)-> mockc(version: v2, ip: 127.0.0.1)";
    for line in ["GET /mock", "GET /any/path?query", "POST /mock", "POST /healthz"] {
        let answer = exchange(mockb.address, line);
        assert_eq!((answer.status, answer.body.as_str()), (200, expected), "{line}");
    }
}

#[test]
fn the_named_headers_are_passed_on_with_all_lines_and_raw_bytes() {
    let upstream = CannedUpstream::start("200 OK", "");
    let mockb = Service::start(
        "127.0.0.1:0",
        &[&MOCKB[..], &[("UPSTREAM_URL", &upstream.url("/mock")), ("FORWARD_HEADERS", "x-user-id, baggage")]].concat(),
    );
    let request = b"PUT /ignored HTTP/1.1\r\nhost: mockb\r\nconnection: close\r\n\
        Baggage: a=1\r\nx-user-id: \xff\xfe\r\nbaggage: b=2\r\nx-other: 1\r\n\r\n";
    assert_eq!(send(mockb.address, request).status, 200);

    let seen = upstream.request();
    let lines: Vec<&[u8]> = seen.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    assert_eq!(lines[0], b"PUT /mock HTTP/1.1");
    let values = |name: &[u8]| -> Vec<&[u8]> { lines.iter().filter_map(|line| line.strip_prefix(name)).collect() };
    assert_eq!(values(b"baggage: "), [b"a=1", b"b=2"]);
    assert_eq!(values(b"x-user-id: "), [b"\xff\xfe"]);
    assert!(values(b"x-other: ").is_empty());
}

#[test]
fn a_request_for_an_echo_shows_what_each_service_got() {
    let mockc = Service::start("127.0.0.1:0", &MOCKC);
    let url = format!("http://{}/mock", mockc.address);
    let variables = [("UPSTREAM_URL", url.as_str()), ("FORWARD_HEADERS", "x-user-id")];
    let mockb = Service::start("127.0.0.1:0", &[&MOCKB[..], &variables].concat());
    let request = b"GET / HTTP/1.1\r\nhost: mockb\r\nconnection: close\r\n\
        x-echo-headers: 1\r\nx-user-id: bob\r\nx-other: 1\r\nx-other: 2\r\n\r\n";
    let answer = send(mockb.address, request);
    let hops: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let header = |hop: usize, name: &str| hops[hop]["headers"][name].as_str().map(str::to_owned);
    assert_eq!((answer.status, hops.as_array().unwrap().len()), (200, 2), "{hops}");
    assert_eq!((&hops[0]["name"], &hops[1]["version"]), (&"mockb".into(), &"v2".into()));
    assert_eq!([header(0, "x-user-id"), header(1, "x-user-id")], [Some("bob".to_owned()), Some("bob".to_owned())]);
    assert_eq!([header(0, "x-other"), header(1, "x-other")], [Some("1,2".to_owned()), None]);
}

#[test]
fn an_echo_says_where_a_chain_ends() {
    let upstream = CannedUpstream::start("503 Reason", "no healthy upstream");
    let url = upstream.url("/mock");
    let mockb = Service::start("127.0.0.1:0", &[&MOCKB[..], &[("UPSTREAM_URL", &url)]].concat());
    let answer = send(mockb.address, b"GET / HTTP/1.1\r\nhost: b\r\nconnection: close\r\nx-echo-headers: 1\r\n\r\n");
    let hops: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &hops[0]["error"]), (503, &format!("{url}: 503 no healthy upstream").into()), "{hops}");
}

#[test]
fn the_proxy_is_asked_for_the_upstream_by_its_name() {
    let sidecar = CannedUpstream::start("200 OK", "-> the sidecar");
    let mockb = Service::start(
        "127.0.0.1:0",
        &[&MOCKB[..], &[("UPSTREAM_URL", "http://mockc:8000/mock"), ("HTTP_PROXY", &sidecar.url(""))]].concat(),
    );
    let answer = exchange(mockb.address, "GET /");
    assert_eq!(answer.body, "-> mockb(version: v1, ip: 127.0.0.1)-> the sidecar");
    let seen = String::from_utf8(sidecar.request()).unwrap();
    assert!(seen.starts_with("GET http://mockc:8000/mock HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("host: mockc:8000\r\n"), "{seen}");
}

#[test]
fn an_upstream_that_fails_shows_in_the_answer() {
    for status in [503, 404, 302] {
        let upstream = CannedUpstream::start(&format!("{status} Reason"), "no healthy upstream");
        let url = upstream.url("/mock");
        let mockb = Service::start("127.0.0.1:0", &[&MOCKB[..], &[("UPSTREAM_URL", &url)]].concat());
        let answer = exchange(mockb.address, "GET /");
        assert_eq!(answer.status, status);
        assert_eq!(answer.body, format!("-> mockb(version: v1, ip: 127.0.0.1)-> {url}: {status} no healthy upstream"));
    }
}

#[test]
fn an_upstream_that_cannot_be_reached_is_502_and_leaves_the_service_healthy() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/mock");
    let mockb = Service::start("127.0.0.1:0", &[&MOCKB[..], &[("UPSTREAM_URL", &url)]].concat());
    let answer = exchange(mockb.address, "GET /");
    assert_eq!(answer.status, 502);
    let start = format!("-> mockb(version: v1, ip: 127.0.0.1)-> {url}: 502 ");
    assert!(answer.body.starts_with(&start), "{}", answer.body);
    assert!(answer.body.contains("Connection refused"), "{}", answer.body);

    let health = exchange(mockb.address, "GET /healthz");
    assert_eq!((health.status, health.body.as_str()), (200, "ok"));
}

#[test]
fn a_bad_environment_exits_with_2_and_says_which_variable() {
    let Output { status, stderr, .. } = command("8080", &MOCKC).output().unwrap();
    assert_eq!(status.code(), Some(2));
    assert_eq!(
        String::from_utf8(stderr).unwrap(),
        "failed to read the environment: LISTEN holds \"8080\", \
         expected an IP address and a port such as 127.0.1.11:8080\n"
    );
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let Output { status, stderr, .. } = command(&address, &MOCKC).output().unwrap();
    assert_eq!(status.code(), Some(1));
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(stderr.starts_with(&format!("failed to serve: LISTEN {address}: ")), "{stderr}");
}

#[test]
fn signals_stop_it() {
    for signal in ["-TERM", "-INT"] {
        let mut mockc = Service::start("127.0.0.1:0", &MOCKC);
        let pid = mockc.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert!(mockc.child.wait().unwrap().success(), "{signal}");
    }
}

fn command(listen: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-service"));
    command.env_clear().env("LISTEN", listen).envs(environment.iter().copied());
    command
}

/// The binary, killed when dropped.
/// Killed, slow, broken and back, which needs an address of its own.
#[test]
fn who_controls_it_decides_how_it_is() {
    let variables = [&MOCKC[..], &[("CONTROL", "127.0.0.1:0")]].concat();
    let mut child = command("127.0.0.1:0", &variables).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = |said: &str| -> SocketAddr {
        let line = lines.next().unwrap().unwrap();
        line.strip_prefix(said).unwrap().parse().unwrap()
    };
    let control = address("controlled on ");
    let bring = |condition: &str| {
        let length = condition.len();
        let request =
            format!("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{condition}");
        send(control, request.as_bytes()).status
    };
    let service = address("listening on ");
    assert_eq!(exchange(control, "GET /").body, "healthy");
    assert_eq!(exchange(service, "GET /mock").status, 200);
    assert_eq!(bring("killed"), 200);
    assert!(TcpStream::connect(service).is_err());
    assert_eq!(bring("broken"), 200);
    let service = address("listening on ");
    assert_eq!(exchange(service, "GET /mock").status, 500);
    assert_eq!(exchange(service, "GET /healthz").status, 200, "broken, and nobody else takes over");
    assert_eq!(exchange(service, "POST /").status, 500, "a client of the service cannot heal it");
    assert_eq!((bring("dead"), exchange(control, "GET /").body.as_str()), (400, "broken"));
    assert_eq!(bring("slow"), 200);
    assert_eq!(exchange(address("listening on "), "GET /mock").status, 200);
    assert_eq!(bring("killed"), 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

struct Service {
    child: Child,
    address: SocketAddr,
}

impl Service {
    fn start(listen: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = command(listen, environment).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes one request, keeps its head, and gives the answer it was started with.
struct CannedUpstream {
    address: SocketAddr,
    head: thread::JoinHandle<Vec<u8>>,
}

impl CannedUpstream {
    fn start(status: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: /elsewhere\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let head = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut reader = BufReader::new(&stream);
            while !head.ends_with(b"\r\n\r\n") {
                assert_ne!(reader.read_until(b'\n', &mut head).unwrap(), 0, "the head is cut off");
            }
            stream.write_all(answer.as_bytes()).unwrap();
            head
        });
        Self { address, head }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn request(self) -> Vec<u8> {
        self.head.join().unwrap()
    }
}

struct Answer {
    status: u16,
    body: String,
}

fn exchange(address: SocketAddr, line: &str) -> Answer {
    let request = format!("{line} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\r\n");
    send(address, request.as_bytes())
}

fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: body.to_owned() }
}
