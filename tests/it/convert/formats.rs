//! A format is one folder and one row: everything else asks the row.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use scx::io::{self, CODECS};

use crate::support::Dir;

#[test]
fn every_format_is_one_row_with_names_of_its_own() {
    let distinct = |names: Vec<&str>| names.iter().collect::<HashSet<_>>().len() == names.len();
    assert!(distinct(CODECS.iter().map(|c| c.name).collect()));
    assert!(distinct(CODECS.iter().map(|c| c.option).collect()));
    assert!(distinct(CODECS.iter().flat_map(|c| c.extensions.iter().copied()).collect()));
    for codec in CODECS {
        assert!(std::ptr::eq(io::codec(codec.format), codec), "{}", codec.name);
        for ending in codec.extensions {
            let target = PathBuf::from(format!("a.{ending}"));
            assert_eq!(io::Format::for_target(&target), Some(codec.format), "{ending}");
            let packed = io::Format::for_target(Path::new(&format!("a.{ending}.gz")));
            assert_eq!(packed, codec.packed.then_some(codec.format), "{ending}.gz");
        }
    }
}

#[test]
fn options_and_their_help_are_made_from_the_rows() {
    let dir = Dir::new();
    let help = dir.scx("convert --help").ok().stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for codec in CODECS {
        assert!(help.contains(&format!("- {}: {}", codec.option, codec.about)), "{}", codec.name);
        for option in codec.options {
            assert!(help.contains(option.name) && help.contains(option.help), "{}: {help}", option.name);
        }
    }
}

#[test]
fn an_option_that_means_nothing_for_a_format_is_ignored_with_a_word() {
    let dir = Dir::new();
    dir.write("cells.csv", "cell,g1,g2\na,1,2\nb,3,4\n");
    let all = "--h5ad-compat 0.8 --compression none --fcs-version 3.2 --table x --data-set 1 --genome mm10";
    for codec in CODECS {
        let run = dir.scx(&format!("convert cells.csv out-{0} --to {0} --dry-run {all}", codec.option)).ok();
        // What of the cells becomes channels is refused, not ignored, where there are none.
        let all = CODECS.iter().flat_map(|c| c.options).filter(|o| **o != &io::fcs::APPEND);
        for option in all {
            let idle = format!("{} has no meaning for {} ", option.name, codec.name);
            let reading =
                ["--data-set", "--genome", "--fcs-offsets", "--index-column", "--obs-columns", "--transpose"]
                    .contains(&option.name);
            let said = run.stderr.contains(&idle);
            assert!(reading || said != codec.uses(option), "{}: {}", codec.name, option.name);
        }
        for option in ["--data-set", "--genome"] {
            run.says(&[&format!("{option} has no meaning for csv ")]);
        }
    }
}

/// All source files, with their paths from `src`.
fn sources(folder: &Path, all: &mut Vec<(String, String)>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            all.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_code_knows_a_format_by_name_but_its_folder() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let variants: Vec<String> = CODECS.iter().map(|c| format!("Format::{:?}", c.format)).collect();
    for (name, text) in all {
        // The demonstration writes FCS because it likes to.
        if name.ends_with("codec.rs") || name == "cli/demo/run.rs" {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        let found: Vec<_> = variants.iter().filter(|v| code.contains(v.as_str())).collect();
        assert!(found.is_empty(), "src/{name} knows {found:?}: ask the row of CODECS");
    }
}

#[test]
fn the_documentation_says_of_losses_what_the_formats_answer() {
    let dir = Dir::new();
    let table = dir.scx("help losses").ok().stdout;
    let docs =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md")).unwrap();
    assert!(docs.ends_with(&table), "docs/formats.md is not what `scx help losses` prints");
}
