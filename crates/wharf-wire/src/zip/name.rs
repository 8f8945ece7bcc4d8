//! Names that every system can unpack, none of which leads out of the folder that it is unpacked into.

use std::collections::HashMap;

use wharf_types::limit::NAME_BYTES_MAX;
use wharf_types::name::fold;

/// Names that Windows keeps for devices, whatever follows a dot.
const DEVICES: [&str; 22] = [
    "aux", "con", "nul", "prn", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Gives the nodes of a tree their paths in an archive, parents before children, depth first.
///
/// Names keep their letters, except what no Windows can have: control characters and any of `\ : * ? " < > |` become
/// `_`, and so does a dot or space at the end. Names that are the same without regard to letter case get a number.
#[derive(Debug)]
pub struct Names {
    /// The folders from the top down to the one that holds the next node.
    levels: Vec<Level>,
}

#[derive(Debug, Default)]
struct Level {
    /// With a slash at its end, except at the top.
    path: String,
    /// Names that were given here, folded, and the number to try next for one that comes again.
    taken: HashMap<String, u32>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            levels: vec![Level::default()],
        }
    }
}

impl Names {
    /// The path of a node that has `depth` folders above it, the last ones that were placed at those depths.
    pub fn place(&mut self, depth: usize, name: &str, is_folder: bool) -> String {
        self.levels.truncate(depth.saturating_add(1).max(1));
        let Some(level) = self.levels.last_mut() else {
            return String::new();
        };
        let name = level.unique(safe(name));
        let mut path = format!("{}{name}", level.path);
        if is_folder {
            path.push('/');
            self.levels.push(Level {
                path: path.clone(),
                taken: HashMap::new(),
            });
        }
        path
    }
}

impl Level {
    fn unique(&mut self, name: String) -> String {
        let key = fold(&name);
        let Some(mut number) = self.taken.get(&key).copied() else {
            self.taken.insert(key, 2);
            return name;
        };
        loop {
            let numbered = numbered(&name, number);
            number = number.saturating_add(1);
            let its_key = fold(&numbered);
            if !self.taken.contains_key(&its_key) {
                self.taken.insert(key, number);
                self.taken.insert(its_key, 2);
                return numbered;
            }
        }
    }
}

/// The name with a number before its ending, no longer than names may be.
fn numbered(name: &str, number: u32) -> String {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 16 => {
            (stem, format!(" ({number}).{ending}"))
        }
        _ => (name, format!(" ({number})")),
    };
    let mut cut = stem.len().min(NAME_BYTES_MAX.saturating_sub(ending.len()));
    while !stem.is_char_boundary(cut) {
        cut -= 1;
    }
    let stem = stem.get(..cut).unwrap_or_default();
    format!("{stem}{ending}")
}

fn safe(name: &str) -> String {
    let mut safe: String = name
        .chars()
        .map(|letter| match letter {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            letter if letter.is_control() => '_',
            letter => letter,
        })
        .collect();
    if safe.ends_with(['.', ' ']) {
        safe.pop();
        safe.push('_');
    }
    let stem = safe.split('.').next().unwrap_or_default().trim_end();
    if safe.is_empty()
        || DEVICES
            .iter()
            .any(|device| device.eq_ignore_ascii_case(stem))
    {
        safe.insert(0, '_');
    }
    safe
}

/// Whether a link at `path` whose content is `target` leads to a place within the archive, whatever is there.
///
/// What does not, and what a Windows would read in another way, must not be unpacked as a link.
pub fn stays_within(path: &str, target: &str) -> bool {
    if target.is_empty()
        || target.starts_with('/')
        || target.contains(['\\', ':'])
        || target.chars().any(char::is_control)
    {
        return false;
    }
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{Names, stays_within};

    #[test]
    fn names_keep_their_letters_where_they_can() {
        let mut names = Names::default();
        assert_eq!(names.place(0, "Fotos é 中文", true), "Fotos é 中文/");
        assert_eq!(names.place(1, "a.jpg", false), "Fotos é 中文/a.jpg");
        assert_eq!(names.place(1, "A.JPG", false), "Fotos é 中文/A (2).JPG");
        assert_eq!(names.place(1, "a.jpg", false), "Fotos é 中文/a (3).jpg");
        assert_eq!(names.place(0, "fotos é 中文", true), "fotos é 中文 (2)/");
        assert_eq!(names.place(1, "a.jpg", false), "fotos é 中文 (2)/a.jpg");
    }

    #[test]
    fn hostile_names_become_harmless() {
        for (given, want) in [
            ("..\\..\\evil.exe", ".._.._evil.exe"),
            ("C:evil", "C_evil"),
            ("a\u{1b}[2J\n", "a_[2J_"),
            ("nul.txt", "_nul.txt"),
            ("end.", "end_"),
            ("end ", "end_"),
            ("what?", "what_"),
        ] {
            assert_eq!(Names::default().place(0, given, false), want);
        }
    }

    #[test]
    fn many_equal_names_are_numbered_and_stay_short() {
        let mut names = Names::default();
        let long = "é".repeat(127);
        let mut all = std::collections::HashSet::new();
        for _ in 0..2_000 {
            let name = names.place(0, &long, false);
            assert!(name.len() <= 255);
            assert!(all.insert(name));
        }
    }

    #[test]
    fn links_that_lead_out_are_told_from_those_that_do_not() {
        for inside in ["b", "../b", "./x/../../b", "deep/er"] {
            assert!(stays_within("a/link", inside), "{inside}");
        }
        for outside in [
            "/etc/passwd",
            "../../b",
            "x/../../../b",
            "..\\b",
            "C:b",
            "",
            "a\nb",
        ] {
            assert!(!stays_within("a/link", outside), "{outside}");
        }
    }

    proptest! {
        #[test]
        fn no_name_is_a_place(name in any::<String>(), is_folder in any::<bool>()) {
            let path = Names::default().place(0, &name, is_folder);
            let path = path.strip_suffix('/').unwrap_or(&path);
            prop_assert!(!path.is_empty() && path != "." && path != "..");
            prop_assert!(!path.contains(['/', '\\', ':', '\0']));
        }
    }
}
