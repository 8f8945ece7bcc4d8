//! Which modules a module needs at once: what it imports, what these import, and so on. A browser that is told all of them
//! fetches them together and not one after another.

use std::collections::BTreeSet;

/// The modules that `start` needs, itself included, by path; `text` gives a module's text. What is imported by a call of
/// `import` comes later and is left out.
pub(super) fn needed<'a>(start: &str, text: impl Fn(&str) -> Option<&'a str>) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut waiting = vec![start.to_owned()];
    while let Some(path) = waiting.pop() {
        if let Some(text) = text(&path)
            && needed.insert(path.clone())
        {
            waiting.extend(imports(text).map(|target| resolve(&path, target)));
        }
    }
    needed
}

/// The targets of a module's static imports; all of them are relative.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    ["from", "import"].into_iter().flat_map(move |word| {
        text.split(word).skip(1).filter_map(|rest| {
            let rest = rest.trim_start_matches(' ');
            let quote = rest
                .chars()
                .next()
                .filter(|first| matches!(first, '"' | '\''))?;
            let target = rest.get(1..)?.split(quote).next()?;
            let is_module = target
                .rsplit_once('.')
                .is_some_and(|(_, ending)| ending == "js");
            (target.starts_with('.') && is_module).then_some(target)
        })
    })
}

/// The path that `target` means in the module at `from`.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::needed;

    #[test]
    fn static_imports_are_followed_and_calls_are_not() {
        let text = |path: &str| match path {
            "main.js" => {
                Some("import { a } from './a/one.js';\nimport('./later.js');\nimport \"./two.js\";")
            }
            "a/one.js" => Some("export{x}from\"../two.js\";import '../main.js'"),
            "two.js" => Some("const from = './three.js'"),
            "later.js" | "three.js" => Some(""),
            _ => None,
        };
        let found: Vec<String> = needed("main.js", text).into_iter().collect();
        assert_eq!(found, ["a/one.js", "main.js", "two.js"]);
    }
}
