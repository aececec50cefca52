//! The pictures of docs/pictures.md are what its commands draw now. `UPDATE_GOLDEN=1 cargo test --package lanes` draws them
//! anew; look at them before you keep them.

use std::{collections::BTreeMap, env, fs, os::unix::fs::symlink, path::Path, process::Command};

use roxmltree::Document;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The pictures of a folder, by name.
fn pictures(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let svg = entries.filter(|path| path.extension().is_some_and(|extension| extension == "svg"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    svg.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn the_pictures_are_drawn() {
    let document = fs::read_to_string(repository().join("docs/pictures.md")).unwrap();
    let own = fs::read_to_string(repository().join("docs/own-group.md")).unwrap();
    let (_, group) = own.split_once("```yaml\n# group.yaml\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let drawn = folder.path().join("docs/pictures");
    fs::create_dir_all(&drawn).unwrap();
    symlink(repository().join("manifests").canonicalize().unwrap(), folder.path().join("manifests")).unwrap();
    fs::write(folder.path().join("group.yaml"), group.split_once("```").unwrap().0).unwrap();
    let tool = Path::new(env!("CARGO_BIN_EXE_lanes")).parent().unwrap().display().to_string();
    let path = format!("{tool}:{}", env::var("PATH").unwrap());
    let blocks = document.split("```console\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let drawing = |line: &&str| !line.contains("--prometheus");
    for line in blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).filter(drawing) {
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", line]).current_dir(folder.path()).env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
    let kept = repository().join("docs/pictures");
    let fresh = pictures(&drawn);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(&kept).unwrap();
        fresh.iter().for_each(|(name, text)| fs::write(kept.join(name), text).unwrap());
    }
    let kept = pictures(&kept);
    assert!(kept.keys().eq(fresh.keys()), "{:?}, {:?}", kept.keys(), fresh.keys());
    for (name, text) in kept {
        assert!(fresh.get(&name) == Some(&text), "docs/pictures/{name} is not what is drawn: UPDATE_GOLDEN=1 draws it");
        assert!(document.contains(&format!("](pictures/{name})")), "{name} is not shown");
        Document::parse(&text).unwrap();
    }
}
