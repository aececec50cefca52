//! The graph as a flowchart of Mermaid, which GitHub and GitLab draw in Markdown.

use std::fmt::Display;

use super::{Graph, Lane, Service, edges::Place, layout::node_texts, percent};
use crate::{
    escape::Escaped,
    explain::Why,
    picture::{colour, number},
};

/// How wide all requests are together, in pixels.
const WHOLE: f64 = 14.0;

/// The graph as a Mermaid flowchart.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    text += &format!("  clients([{}])\n  gateway[{}]\n", label(&graph.clients), label(&graph.gateway));
    for (row, lane) in graph.lanes.iter().enumerate() {
        text += &subgraph(graph, row, lane);
    }
    let mut links = Links::default();
    links.add(
        "clients",
        "gateway",
        "-->",
        0,
        Some(100.0).filter(|_| graph.lanes.iter().any(|lane| lane.share.is_some())),
    );
    for (row, lane) in graph.lanes.iter().enumerate() {
        links.add("gateway", Place::Entrance(row), if lane.is_mirrored { "-.->" } else { "-->" }, row, lane.share);
    }
    for edge in graph.edges() {
        let arrow = match edge.why {
            Why::OwnLane => "-->",
            Why::Fallback => "-.->",
            Why::LaneLost => "-. out of the lane .->",
            Why::Unavailable => "--x",
        };
        links.add(edge.from, edge.to, arrow, edge.lane, edge.share);
    }
    if graph.rejects_untagged {
        text += "  rejected((404))\n";
        links.add("gateway", "rejected", "-- without a tag --x", 0, None);
    }
    text + &links.text + &links.styles + &classes(graph)
}

/// Links are styled by their numbers.
#[derive(Default)]
struct Links {
    text: String,
    styles: String,
    count: usize,
}

impl Links {
    fn add(&mut self, from: impl Display, to: impl Display, arrow: &str, row: usize, share: Option<f64>) {
        let width = share.map_or(2.0, |share| (share / 100.0 * WHOLE).max(1.0));
        self.text += &format!("  {from} {arrow} {to}\n");
        self.styles += &format!("  linkStyle {} stroke:{},stroke-width:{}px\n", self.count, colour(row), number(width));
        self.count += 1;
    }
}

fn subgraph(graph: &Graph, row: usize, lane: &Lane) -> String {
    let share = lane.share.map(percent);
    let entrance: Vec<String> = [lane.name.clone()].into_iter().chain(share).chain(lane.entrance.clone()).collect();
    let mut text = format!("  subgraph row{row}[\" \"]\n    {}([{}])\n", Place::Entrance(row), label(&entrance));
    for (column, (service, cell)) in graph.services.iter().zip(&lane.cells).enumerate() {
        if cell.is_held {
            text += &format!("    {}[{}]\n", Place::Service(row, column), label(&[named(service, lane)]));
        } else if cell.answers.iter().any(|answer| answer.why == Why::Unavailable) {
            text += &format!("    {}((503))\n", Place::End(row, column));
        }
    }
    text + "  end\n"
}

fn named(service: &Service, lane: &Lane) -> String {
    let (name, version) = node_texts(service, lane);
    version.map_or(name.clone(), |version| format!("{name} {version}"))
}

fn classes(graph: &Graph) -> String {
    let class = |row: usize| {
        let colour = colour(row);
        format!(
            "  style row{row} fill:{colour}14,stroke:none\n  classDef of{row} fill:{colour}24,stroke:{colour},stroke-width:2px\n  \
             class {} of{row}\n",
            members(graph, row).join(",")
        )
    };
    (0..graph.lanes.len()).map(class).collect()
}

fn members(graph: &Graph, row: usize) -> Vec<String> {
    let cells = graph.lanes.get(row).into_iter().flat_map(|lane| lane.cells.iter().enumerate());
    let held = cells.filter(|(_, cell)| cell.is_held).map(|(column, _)| Place::Service(row, column).to_string());
    [Place::Entrance(row).to_string()].into_iter().chain(held).collect()
}

/// Lines in quotes. What is markup to Mermaid is written as the entity of its code.
fn label(lines: &[String]) -> String {
    let escape = |char: char| match char {
        '"' | '#' | '&' | '<' | '>' | ';' | '\\' => format!("#{};", u32::from(char)),
        // Mermaid reads Markdown in what the entities stand for.
        '`' => "'".to_owned(),
        char => char.to_string(),
    };
    let lines = lines.iter().map(|line| Escaped(line).to_string().chars().map(escape).collect::<String>());
    format!("\"{}\"", lines.collect::<Vec<_>>().join("<br>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(label(&["a\"]-->`b`".to_owned(), "c".to_owned()]), "\"a#34;]--#62;'b'<br>c\"");
    }
}
