//! Tables in documents, written by the command that measured them.

use std::fs;

use anyhow::{Context, Result};

use crate::{process, project::Project};

const END: &str = "<!-- end -->\n";

/// Puts the table into the document, where the command's mark is, with the command and the date.
pub(crate) fn write(project: &Project, document: &str, command: &str, table: &str) -> Result<()> {
    let path = project.root().join(document);
    let text = fs::read_to_string(&path)?;
    let (before, _, after) = parts(&text, command).with_context(|| format!("{document} has no {}", mark(command)))?;
    let date = process::output(project.command("date").args(["-u", "+%F"]))?;
    Ok(fs::write(path, format!("{before}{table}\n`{command}`, {}.\n{after}", date.trim()))?)
}

/// What is before the table, with the mark; the table; what is after it, with the end.
fn parts<'t>(text: &'t str, command: &str) -> Option<(&'t str, &'t str, &'t str)> {
    let mark = mark(command);
    let begin = text.find(&mark)? + mark.len();
    let end = begin + text.get(begin..)?.find(END)?;
    Some((text.get(..begin)?, text.get(begin..end)?, text.get(end..)?))
}

/// By the targets of the command alone: `make matrix` for `make matrix SHORT=yes`.
fn mark(command: &str) -> String {
    let words: Vec<&str> = command.split(' ').take(2).collect();
    format!("<!-- written by {} -->\n", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_between_its_marks() {
        let text = "a\n<!-- written by make fuzz -->\nold\n<!-- end -->\nb\n";

        let (before, table, after) = parts(text, "make fuzz SECONDS=9").unwrap();
        assert!(before.ends_with("make fuzz -->\n"), "{before}");
        assert_eq!((table, after), ("old\n", "<!-- end -->\nb\n"));
        assert_eq!(parts(text, "make matrix"), None);
    }

    #[test]
    fn every_command_has_its_place() {
        for (document, command) in [
            ("README.md", "make matrix"),
            ("docs/hostile-input.md", "make fuzz"),
            ("docs/hostile-input.md", "make hostile"),
            ("docs/faults.md", "make chaos"),
            ("docs/load.md", "make soak"),
        ] {
            let text = fs::read_to_string(Project::locate().root().join(document)).unwrap();
            assert!(parts(&text, command).is_some(), "{document}: {command}");
        }
    }
}
