//! The page of a running mesh, in a real browser: what somebody sees and does there.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use browser::{Tab, Window};
use local_mesh::{wait_until, walkthrough_group};
use page::{Server, world::Processes};
use serde_json::{Value, json};
use traffic_lanes_tests::{repository, walkthrough};

const LIMIT: Duration = Duration::from_secs(60);
/// What the arrow to the right is called on a keyboard.
const RIGHT: (&str, u32) = ("ArrowRight", 39);
const WINDOW: Window = Window { width: 1280, height: 1000, is_dark: false, is_still: false };

/// The browser: `CHROMIUM_BIN`, else what `make setup` put into `.tools/`.
fn chromium() -> PathBuf {
    let installed = || repository().join(".tools/chromium-headless-shell/chromium-headless-shell");
    env::var_os("CHROMIUM_BIN").map_or_else(installed, PathBuf::from)
}

fn serve(name: &str) -> Server {
    let world = Processes::new(walkthrough::start(name).unwrap()).unwrap();
    let group = walkthrough_group(repository(), name).unwrap();
    Server::start(world, group, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

/// Somebody in front of the page.
struct Visitor(Tab);

impl Visitor {
    fn opens(url: &str) -> Self {
        let mut tab = Tab::open(&chromium()).unwrap();
        tab.resize(WINDOW).unwrap();
        tab.go(url).unwrap();
        let mut visitor = Self(tab);
        visitor.sees("!!document.querySelector('.dot') && !document.querySelector('.dot:not([data-lane])')");
        visitor
    }

    fn is(&mut self, expression: &str) -> Value {
        self.0.evaluate(expression).unwrap()
    }

    fn sees(&mut self, expression: &str) {
        wait_until(expression, LIMIT, || Ok((self.0.evaluate(expression)? == json!(true)).then_some(())))
            .unwrap_or_else(|error| panic!("{error}; the page says {}", self.is("document.body.innerText")));
    }

    /// Whether the dots of these have the colour of the lane: 0 is the baseline.
    fn sees_in_lane(&mut self, lane: &str, users: &[&str]) {
        for user in users {
            self.sees(&format!(
                "[...document.querySelectorAll('.dot')].find(dot => /^{user}, /.test(dot.title)).dataset.lane === '{lane}'"
            ));
        }
    }

    fn clicks(&mut self, label: &str) {
        self.sees(&format!("!!document.querySelector('[aria-label=\"{label}\"]:not(:disabled)')"));
        self.is(&format!("document.querySelector('[aria-label=\"{label}\"]').click()"));
    }

    /// Takes the slider's thumb from one percent to another.
    fn drags(&mut self, from: u32, to: u32) {
        let is = self.is("(({x, y, width, height}) => [x, y, width, height])(document.querySelector('#share-s2').getBoundingClientRect())");
        let [x, y, width, height] = [0, 1, 2, 3].map(|index| is[index].as_f64().unwrap());
        // The thumb's middle does not get to the track's ends.
        let at = |percent: u32| (x + 15.0 + (width - 30.0) * f64::from(percent) / 100.0, y + height / 2.0);
        self.0.drag(&[at(from), at((from + to) / 2), at(to)]).unwrap();
    }
}

#[test]
fn dots_follow_the_slider_and_the_pods() {
    let server = serve("user-segment");
    let mut visitor = Visitor::opens(&format!("{}#count=60&user=bob", server.url()));
    visitor.sees_in_lane("1", &["jason", "jessie", "jack"]);
    visitor.sees_in_lane("0", &["bob", "stacy", "vance"]);
    visitor.sees("/bucket 44 of 100/.test(document.querySelector('#one').innerText)");

    visitor.drags(20, 50);
    visitor.sees("document.querySelector('#share-s2').value === '50'");
    visitor.sees_in_lane("1", &["bob", "stacy", "jessie", "jack", "jason"]);
    visitor.sees_in_lane("0", &["vance"]);
    visitor.sees("/s1 → s2: .*bob, stacy/.test(document.querySelector('#news').innerText)");
    visitor.sees("!/s2 → s1/.test(document.querySelector('#news').innerText)");

    // By keyboard: vance's bucket is 54.
    visitor.is("document.querySelector('#share-s2').focus()");
    for _ in 0..5 {
        visitor.0.press(RIGHT.0, RIGHT.1).unwrap();
    }
    visitor.sees_in_lane("1", &["vance"]);
    visitor.sees("/percent.s2=55/.test(location.hash)");

    visitor.clicks("Kill mockc-s2");
    visitor.sees_in_lane("0", &["jason", "jessie", "bob"]);
    visitor.sees("/mockc-s2 killed/.test(document.querySelector('#news').innerText)");
    visitor.clicks("Start mockc-s2");
    visitor.sees_in_lane("1", &["jason", "jessie", "bob"]);

    visitor.clicks("Break mockc-s2");
    visitor.sees_in_lane("fail", &["jason", "jessie"]);
    visitor.clicks("Slow mockc-s2");
    visitor.sees("document.querySelectorAll('.dot.slow').length > 10");
    visitor.clicks("Heal mockc-s2");
    visitor.sees_in_lane("1", &["jason", "jessie"]);

    // A user of one's own.
    visitor.is("document.querySelector('#who').select()");
    visitor.0.write("jack").unwrap();
    visitor.is("document.querySelector('#find').requestSubmit()");
    visitor.sees("/^jack → s2/.test(document.querySelector('#one').innerText)");

    is_well_made(&mut visitor, &server);
    a_link_changes_nothing(&server);
    nobody_else_asks(&server);
}

fn is_well_made(visitor: &mut Visitor, server: &Server) {
    assert_eq!(visitor.0.complaints(), Vec::<String>::new());
    let foreign = |url: &String| !url.starts_with(&server.url()) && !url.starts_with("data:");
    assert_eq!(visitor.0.requests().into_iter().filter(foreign).collect::<Vec<_>>(), Vec::<String>::new());
    let named = visitor.0.accessible().unwrap();
    for (role, name) in [
        ("slider", "Percent of users in s2"),
        ("listbox", "Users"),
        ("textbox", "Where does a user go, and why?"),
        ("button", "Kill mockc-s2"),
        ("combobox", "how many"),
    ] {
        assert!(
            named.iter().any(|found| found.0 == role && found.1.starts_with(name)),
            "no {role} {name:?}: {named:?}"
        );
    }
    let controls = ["button", "slider", "textbox", "combobox", "option"];
    let nameless: Vec<_> =
        named.iter().filter(|(role, name)| controls.contains(&role.as_str()) && name.is_empty()).collect();
    assert!(nameless.is_empty(), "{nameless:?}");
}

fn a_link_changes_nothing(server: &Server) {
    let mut visitor = Visitor::opens(&format!("{}#count=60&percent.s2=10&pod.mockc-s2=killed", server.url()));
    visitor.sees("!document.querySelector('#proposal').hidden");
    visitor.sees("document.querySelector('#share-s2').value === '55'");
    visitor.sees_in_lane("1", &["jessie"]);
    visitor.is("document.querySelector('#apply').click()");
    visitor.sees("document.querySelector('#share-s2').value === '10'");
    visitor.sees_in_lane("0", &["jessie", "jason"]);
}

fn nobody_else_asks(server: &Server) {
    let host = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let ask = |lines: &str| {
        let body = r#"{"share":{"lane":"s2","percent":99}}"#;
        let request = format!(
            "POST /wish HTTP/1.1\r\n{lines}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(&host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for lines in [
        "host: lanes.example.com\r\ncontent-type: application/json".to_owned(),
        format!("host: {host}\r\norigin: http://example.com\r\ncontent-type: application/json"),
        format!("host: {host}\r\ncontent-type: text/plain"),
        format!("host: {host}"),
    ] {
        assert!(ask(&lines).starts_with("HTTP/1.1 403 "), "{lines}");
    }
    let own = format!("host: {host}\r\norigin: http://{host}\r\ncontent-type: application/json");
    assert!(ask(&own).starts_with("HTTP/1.1 200 "));
}

/// Weights and tags know no users, and are shown by requests.
#[test]
fn lanes_by_tag_are_requests_of_each_tag() {
    let server = serve("strict");
    let mut visitor = Visitor::opens(&format!("{}#count=60&tag=s2", server.url()));
    visitor.sees("document.querySelectorAll('.dot[data-lane=\"2\"]').length === 15");
    visitor.sees("document.querySelectorAll('.dot[data-lane=\"fail\"]').length === 15");
    visitor.sees("document.querySelector('#ramps').hidden");
    visitor.sees("/^s2 → s2/.test(document.querySelector('#one').innerText)");
    visitor.clicks("Kill mockb-s2");
    visitor.sees("document.querySelectorAll('.dot[data-lane=\"fail\"]').length === 30");
    assert_eq!(visitor.0.complaints(), Vec::<String>::new());
}
