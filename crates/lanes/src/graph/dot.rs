//! The graph in the language of Graphviz.

use std::fmt::Display;

use super::{Graph, Lane, edges::Place, layout::node_texts, percent};
use crate::{
    escape::Escaped,
    explain::Why,
    picture::{colour, number},
};

/// How wide all requests are together, in points.
const WHOLE: f64 = 14.0;

/// The graph for `dot`.
pub fn dot(graph: &Graph) -> String {
    let mut text = format!(
        "digraph {} {{\n  graph [rankdir=LR, newrank=true, label={}, labelloc=t, fontname=Helvetica, ranksep=0.8, splines=true]\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=\"#f3f5f8\", color=\"#aab4c0\", fontname=Helvetica, fontsize=12]\n  \
         edge [fontname=Helvetica, fontsize=10, arrowhead=none]\n",
        quoted(&[&graph.name]),
        quoted(&[&graph.name, &graph.about]),
    );
    text += &format!(
        "  clients [label={}, shape=oval]\n  gateway [label={}]\n",
        lines(&graph.clients),
        lines(&graph.gateway)
    );
    for (row, lane) in graph.lanes.iter().enumerate() {
        text += &cluster(graph, row, lane);
    }
    for column in 0..graph.services.len() {
        let has = |row: &usize| {
            graph.lanes.get(*row).and_then(|lane| lane.cells.get(column)).is_some_and(|cell| cell.is_held)
        };
        let ids: Vec<String> =
            (0..graph.lanes.len()).filter(has).map(|row| Place::Service(row, column).to_string()).collect();
        text += &format!("  {{ rank=same; {} }}\n", ids.join("; "));
    }
    text += &format!("  clients -> gateway [color=\"{}\", penwidth={}]\n", colour(0), number(WHOLE / 2.0));
    for (row, lane) in graph.lanes.iter().enumerate() {
        text +=
            &edge("gateway", Place::Entrance(row), row, lane.share, if lane.is_mirrored { "dotted" } else { "solid" });
    }
    for drawn in graph.edges() {
        let style = match drawn.why {
            Why::OwnLane | Why::Unavailable => "solid",
            Why::Fallback => "dashed",
            Why::LaneLost => "dotted",
        };
        text += &edge(drawn.from, drawn.to, drawn.lane, drawn.share, style);
    }
    if graph.rejects_untagged {
        text += "  rejected [label=404, shape=circle, color=\"#c0272d\"]\n  gateway -> rejected [label=\"without a tag\"]\n";
    }
    text + "}\n"
}

fn cluster(graph: &Graph, row: usize, lane: &Lane) -> String {
    let colour = colour(row);
    let share = lane.share.map(percent);
    let entrance: Vec<String> = [lane.name.clone()].into_iter().chain(share).chain(lane.entrance.clone()).collect();
    let mut text = format!(
        "  subgraph cluster_{row} {{\n    label=\"\"\n    style=\"rounded,filled\"\n    color=\"{colour}14\"\n    \
         node [fillcolor=\"{colour}24\", color=\"{colour}\"]\n    {} [label={}, penwidth=2]\n",
        Place::Entrance(row),
        lines(&entrance)
    );
    for (column, (service, cell)) in graph.services.iter().zip(&lane.cells).enumerate() {
        if cell.is_held {
            let (name, version) = node_texts(service, lane);
            let texts: Vec<String> = [name].into_iter().chain(version).collect();
            text += &format!("    {} [label={}]\n", Place::Service(row, column), lines(&texts));
        } else if cell.answers.iter().any(|answer| answer.why == Why::Unavailable) {
            let end = Place::End(row, column);
            text += &format!("    {end} [label=503, shape=circle, color=\"#c0272d\"]\n");
        }
    }
    text + "  }\n"
}

fn edge(from: impl Display, to: impl Display, row: usize, share: Option<f64>, style: &str) -> String {
    let width = number(share.map_or(2.0, |share| (share / 100.0 * WHOLE).max(1.0)));
    format!("  {from} -> {to} [color=\"{}\", penwidth={width}, style={style}]\n", colour(row))
}

fn lines(lines: &[String]) -> String {
    quoted(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Lines as one label. Backslashes begin what is special to Graphviz.
fn quoted(lines: &[&str]) -> String {
    let escaped = |line: &&str| Escaped(line).to_string().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(escaped).collect::<Vec<_>>().join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_text() {
        assert_eq!(quoted(&["a\"]\\N", "\u{1b}"]), "\"a\\\"]\\\\N\\n\\\\u{1b}\"");
    }
}
