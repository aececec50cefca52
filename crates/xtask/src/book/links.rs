//! Whether the links of a site lead somewhere. Those to other sites are not followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// Fails with every link of the site's pages whose file or anchor is not there.
pub(super) fn check(site: &Path) -> Result<()> {
    let mut pages = BTreeMap::new();
    read(site, &mut pages)?;
    let anchors: BTreeMap<&Path, BTreeSet<&str>> =
        pages.iter().map(|(page, html)| (page.as_path(), attributes(html, &["id", "name"]).collect())).collect();
    let mut broken = Vec::new();
    for (page, html) in &pages {
        for link in attributes(html, &["href", "src"]).filter(|link| is_inside(link)) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { Ok(page.clone()) } else { page.with_file_name(path).canonicalize() };
            let has_anchor = |target: PathBuf| {
                let anchors = anchors.get(target.as_path());
                anchor.is_empty() || anchors.is_some_and(|anchors| anchors.contains(anchor))
            };
            if !target.is_ok_and(has_anchor) {
                broken.push(format!("{}: {link}", page.strip_prefix(site).unwrap_or(page).display()));
            }
        }
    }
    ensure!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
    Ok(())
}

/// The pages below a folder, by their paths.
fn read(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))? {
        let path = entry?.path().canonicalize()?;
        if path.is_dir() {
            read(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            pages.insert(path.clone(), fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The values that these attributes have in any tag.
fn attributes<'a>(html: &'a str, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let tags = html.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    tags.flat_map(move |tag| {
        names.iter().filter_map(move |name| tag.split_once(&format!(" {name}=\""))?.1.split('"').next())
    })
}

fn is_inside(link: &str) -> bool {
    !["https:", "http:", "mailto:", "data:"].iter().any(|scheme| link.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_anchors_that_are_not_there_are_found() {
        let site = tempfile::tempdir().unwrap();
        let write = |name: &str, html: &str| fs::write(site.path().join(name), html).unwrap();
        let check = || check(&site.path().canonicalize().unwrap()).map_err(|error| error.to_string());
        write("picture.svg", "");
        write("a.html", r##"<h1 id="top">A</h1> <a href="#top">up</a> <a href="b.html#there">b</a>"##);
        write("b.html", r#"<p class="x" id="there"><img src="picture.svg"> <a href="https://example.com/x">x</a>"#);
        check().unwrap();

        write("b.html", r##"<a href="c.html">c</a> <a href="a.html#gone">a</a> &lt;a href="nowhere"> <a href="#no">"##);
        let said = "links that lead nowhere:\na.html: b.html#there\nb.html: c.html\nb.html: a.html#gone\nb.html: #no";
        assert_eq!(check().unwrap_err(), said);
    }
}
