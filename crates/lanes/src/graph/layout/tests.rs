//! Whatever the lane group is: everything is shown, nothing lies upon another, and shares are whole.

use std::collections::BTreeSet;

use fastrand::Rng;
use roxmltree::Document;
use serde_json::{Value, json};

use super::{Layout, Rect};
use crate::{
    document::LaneGroup,
    graph::{Graph, Sample, dot, edges::Place, mermaid, svg},
};

/// Names that markup would choke on, and long ones.
const NAMES: [&str; 4] =
    ["a", "</text>&\"'`]", "\u{1b}[31m\u{202e}\u{0}", "recommendations-for-customers-of-long-standing"];

/// A lane group of up to 20 lanes and services, with all that a graph shows.
fn group(random: &mut Rng) -> LaneGroup {
    let mut names = |kind: &str| -> Vec<String> {
        let count = random.usize(1..=20);
        (0..count).map(|index| format!("{}{kind}{index}", NAMES[random.usize(0..NAMES.len())])).collect()
    };
    let (services, lanes) = (names("service"), names("lane"));
    let held = |random: &mut Rng| -> Vec<String> { services.iter().filter(|_| random.bool()).cloned().collect() };
    let lane = |(index, name): (usize, &String)| {
        let held = if index == 0 { services.clone() } else { held(random) };
        json!({"name": name, "labels": {"version": name}, "services": held})
    };
    let drawn: Vec<Value> = lanes.iter().enumerate().map(lane).collect();
    let baseline = lanes[0].clone();
    let last = lanes[lanes.len() - 1].clone();
    let share = |(index, lane): (usize, &String)| json!({"lane": lane, "percent": index, "upTo": 5});
    let split: Vec<Value> =
        lanes[1..].iter().map(|lane| (random.usize(0..=5), lane)).map(|(n, l)| share((n, l))).collect();
    let weights = json!([{"lane": baseline, "weight": 70}, {"lane": last, "weight": 30}]);
    let named = json!([{"values": NAMES, "lane": last}]);
    let assign = match random.u8(0..3) {
        0 => json!({"users": {"identity": [{"cookie": NAMES[1]}], "named": named, "split": split}}),
        1 => json!({ "weights": weights }),
        _ => Value::Null,
    };
    let route =
        |service: &String| json!({"name": NAMES[1], "service": service, "lane": random.bool().then_some(&last)});
    let routes: Vec<Value> = services.iter().map(route).collect();
    let service = |name: &String| json!({"name": name, "namespace": random.bool().then_some("other"), "port": 80});
    let columns: Vec<Value> = services.iter().map(service).collect();
    let gateway = json!({"hosts": NAMES});
    let (mode, propagation) =
        (["strict", "permissive"][random.usize(0..2)], ["application", "sourceLabels"][random.usize(0..2)]);
    let spec = json!({
        "mode": mode, "propagation": propagation, "gateway": random.bool().then_some(gateway), "routes": routes,
        "services": columns, "baseline": baseline, "lanes": drawn, "assign": assign,
    });
    let metadata = json!({"name": NAMES[random.usize(0..NAMES.len())]});
    let group =
        json!({"apiVersion": "trafficlanes.dev/v1alpha1", "kind": "LaneGroup", "metadata": metadata, "spec": spec});
    serde_json::from_value(group).unwrap()
}

fn graphs() -> impl Iterator<Item = Graph> {
    (0..15).flat_map(|seed| {
        let mut random = Rng::with_seed(seed);
        let graph = Graph::of(&group(&mut random));
        let name = |random: &mut Rng| graph.lanes[random.usize(0..graph.lanes.len())].name.clone();
        let sample = |_| Sample {
            service: graph.services[random.usize(0..graph.services.len())].name.clone(),
            namespace: String::new(),
            lane: name(&mut random),
            answered: name(&mut random),
            rate: random.f64() * 9.0,
        };
        let samples: Vec<Sample> = (0..40).map(sample).collect();
        let measured = graph.clone().measured(&samples).graph;
        [graph, measured]
    })
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.y + b.height && b.y < a.y + a.height
}

#[test]
fn no_box_lies_upon_another_and_none_is_outside() {
    for graph in graphs() {
        let layout = Layout::of(&graph);
        let chips = layout.rows.iter().map(|row| row.chip);
        let nodes = layout.nodes.iter().map(|node| node.rect);
        let boxes: Vec<Rect> = [layout.clients, layout.gateway].into_iter().chain(chips).chain(nodes).collect();
        for (index, one) in boxes.iter().enumerate() {
            assert!(one.x >= 0.0 && one.right() <= layout.width && one.y >= 0.0, "{one:?}");
            assert!(boxes[index + 1..].iter().all(|other| !overlap(one, other)), "{one:?} in {}", svg(&graph));
        }
        for flow in &layout.flows {
            assert!(flow.from.0 < flow.to.0 && flow.width > 0.0);
            let height = flow.from.1.max(flow.to.1) + flow.width / 2.0;
            assert!(height <= layout.bottom.max(layout.clients.y + layout.clients.height), "{height}");
        }
    }
}

#[test]
fn shares_are_whole() {
    let whole = |shares: f64| (shares - 100.0).abs() < 1e-6;
    for graph in graphs() {
        let shares: Vec<f64> = graph.lanes.iter().filter_map(|lane| lane.share).collect();
        assert!(shares.is_empty() || whole(shares.iter().sum()), "{shares:?}");
        for column in 0..graph.services.len() {
            let comes = |place: Place| matches!(place, Place::Service(_, to) | Place::End(_, to) if to == column);
            let edges = graph.edges().into_iter().filter(|edge| comes(edge.to));
            let shares: Vec<f64> = edges.filter_map(|edge| edge.share).collect();
            let is_over = graph.lanes.iter().any(|lane| lane.cells[column].answers.is_empty());
            assert!(shares.is_empty() || is_over || whole(shares.iter().sum()), "{column}: {shares:?}");
        }
    }
}

#[test]
fn every_lane_and_service_is_shown_and_no_name_is_markup() {
    for graph in graphs() {
        let drawn = svg(&graph);
        let document = Document::parse(&drawn).unwrap();
        let elements = document.descendants().filter(|node| node.is_element());
        let elements: BTreeSet<&str> = elements.map(|node| node.tag_name().name()).collect();
        let known = ["circle", "desc", "g", "path", "rect", "style", "svg", "text", "title", "tspan"];
        assert!(elements.iter().all(|name| known.contains(name)), "{elements:?}");
        let texts = document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text());
        let texts: String = texts.collect::<Vec<_>>().join("\n");
        let names = graph.lanes.iter().map(|lane| &lane.name).chain(graph.services.iter().map(|service| &service.name));
        for name in names {
            assert!(texts.contains(&crate::escape::Escaped(name).to_string()), "{name:?} in {texts}");
        }
        let ends = graph.edges().iter().any(|edge| matches!(edge.to, Place::End(..)));
        assert_eq!(texts.contains("503"), ends);
        for text in [mermaid(&graph), dot(&graph)] {
            assert!(!text.contains('\u{1b}') && !text.contains("</text>&\""), "{text}");
        }
        assert_eq!(
            mermaid(&graph).matches("\n  linkStyle ").count(),
            mermaid(&graph).matches("->").count() + mermaid(&graph).matches("--x").count()
        );
    }
}
