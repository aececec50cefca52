//! `lanes graph`, and what Prometheus says.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use roxmltree::Document;
use serde_json::json;

use crate::{changed, published, run};

/// Answers one request as Prometheus does; gives the line that asked.
fn prometheus(status: &'static str, answer: String) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/prometheus", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(&stream).lines().map(Result::unwrap);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let length = answer.len();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}").unwrap();
        head[0].clone()
    });
    (url, served)
}

/// An instant vector of requests per second: of a service and a lane, answered by a lane.
fn vector(samples: &[(&str, &str, &str, f64)]) -> String {
    let series = samples.iter().map(|(service, lane, answered, rate)| {
        let metric = json!({"service": service, "namespace": "default", "lane": lane, "answered": answered});
        json!({"metric": metric, "value": [1_764_560_000.781, rate.to_string()]})
    });
    let data = json!({"resultType": "vector", "result": series.collect::<Vec<_>>()});
    json!({"status": "success", "data": data}).to_string()
}

fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts
        .map(|text| text.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect())
        .collect()
}

#[test]
fn what_was_measured_is_drawn() {
    let samples = [
        ("mocka", "s1", "s1", 30.0),
        ("mocka", "s2", "s1", 10.0),
        // What no retry explains: two proxies are scraped at two moments.
        ("mocka", "s2", "s2", -0.1),
        ("mockb", "s1", "s1", 30.0),
        ("mockb", "s2", "s1", 10.0),
        ("mockc", "", "", 30.0),
        ("mockc", "s2", "s2", 7.5),
        ("mockc", "s2", "s1", 2.5),
        ("other", "s1", "s2", 1.0),
    ];
    let (url, asked) = prometheus("200 OK", vector(&samples));
    let (status, svg, stderr) = run(&["graph", &published(), "--prometheus", &url]);
    assert_eq!(
        (status, stderr.as_str()),
        (0, "note: not in the lane group, so not drawn: other of s1, answered by s2: 1.00 requests/s\n")
    );
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("GET /prometheus/api/v1/query?query=label_replace%28"), "{asked}");
    assert!(asked.contains("group%3D%22user-segment%22"), "{asked}");
    let texts = texts(&svg);
    for text in ["75 %", "25 %", "80 % intended", "20 % intended"] {
        assert!(texts.iter().any(|shown| shown == text), "{text} in {texts:?}");
    }
    assert!(texts[1].starts_with("measured: 40 requests/s · "), "{texts:?}");
    let split = "mockc by s1 as a fallback, mockc by s2.";
    assert!(svg.contains(split), "{svg}");
}

#[test]
fn an_answer_that_is_no_measurement_is_an_error() {
    let error = json!({"status": "error", "errorType": "bad_data", "error": "parse error: \u{1b}"}).to_string();
    let scalar = json!({"status": "success", "data": {"resultType": "scalar", "result": [1.5, "1"]}}).to_string();
    for (status, answer, said) in [
        ("400 Bad Request", error, "parse error: \\u{1b}"),
        ("200 OK", scalar, "the query does not give an instant vector"),
        ("404 Not Found", "404 page not found".to_owned(), "the answer, of status 404 Not Found, is not Prometheus'"),
        ("200 OK", vector(&[]), "nothing is known of the lane group's requests"),
    ] {
        let (url, asked) = prometheus(status, answer);
        let (status, stdout, stderr) = run(&["graph", &published(), "--prometheus", &url, "--query", "up"]);
        assert_eq!((status, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(said) && stderr.contains(&url), "{said}: {stderr}");
        assert!(asked.join().unwrap().ends_with("?query=up HTTP/1.1"));
    }
}

#[test]
fn a_graph_is_written_into_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("group.dot");
    let options = ["graph", &published(), "--format", "dot", "-o", file.to_str().unwrap()];
    assert_eq!(run(&options), (0, String::new(), String::new()));
    let dot = fs::read_to_string(&file).unwrap();
    assert!(dot.starts_with("digraph \"user-segment\" {\n"), "{dot}");
    assert!(dot.contains("lane1 -> lane0service0 [color=\"#007cc2\", penwidth=2.8, style=dashed]"), "{dot}");
    let labels = changed(&folder, "g.yaml", "{trace: {header: x-user-id}}", "sourceLabels");
    assert_eq!(run(&["graph", &labels, "--format", "mermaid"]).1.matches("out of the lane").count(), 2);
}
