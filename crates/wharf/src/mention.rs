//! Who is meant by `@name` in what is typed.

use wharf_types::api::log::Mentions;
use wharf_types::api::room::Person;
use wharf_types::limit::MENTIONS_PER_ENTRY_MAX;

use crate::directory::fold;

/// The words that mean everybody in the room.
const EVERYBODY: [&str; 2] = ["everybody", "all"];

/// Finds whom a text mentions: `@USERNAME` of a member, or `@everybody`. What fits nobody is only text, as in an e-mail
/// address. Past the most that an entry can mention, the first ones count.
pub(crate) fn mentions(text: &str, members: &[&Person]) -> Mentions {
    let mut found = Mentions::default();
    for name in names(text) {
        let folded = fold(name);
        if EVERYBODY.contains(&folded.as_str()) {
            found.everybody = true;
            continue;
        }
        let member = members
            .iter()
            .find(|person| fold(&person.username) == folded);
        if let Some(member) = member
            && found.accounts.len() < MENTIONS_PER_ENTRY_MAX
            && !found.accounts.contains(&member.id)
        {
            found.accounts.push(member.id);
        }
    }
    found.accounts.sort_unstable();
    found
}

/// The names after an `@` that begins a word. A username does not end in a full stop that ends the sentence.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let begins = |(at, _): &(usize, &str)| {
        let before = text.get(..*at).unwrap_or_default();
        !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    text.match_indices('@').filter(begins).map(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        rest.get(..end)
            .unwrap_or_default()
            .trim_end_matches(['.', '-', '_'])
    })
}

#[cfg(test)]
mod tests {
    use wharf_types::AccountId;
    use wharf_types::api::log::Mentions;
    use wharf_types::api::room::Person;

    use super::mentions;

    fn person(index: u8, username: &str) -> Person {
        Person {
            id: AccountId::from_bytes([index; 16]),
            number: 100_000,
            username: username.to_owned(),
            nickname: String::new(),
            status_text: String::new(),
        }
    }

    fn found(text: &str) -> Mentions {
        let members = [person(2, "grace"), person(1, "ada.l")];
        mentions(text, &members.iter().collect::<Vec<_>>())
    }

    #[test]
    fn members_are_mentioned_by_their_usernames() {
        let both = found("@Grace, and (@ada.l). And @grace again");
        let ids: Vec<_> = both.accounts.iter().map(|id| id.as_bytes()[0]).collect();
        assert_eq!((ids, both.everybody), (vec![1, 2], false));
        assert!(found("@everybody look").everybody);
    }

    #[test]
    fn what_only_looks_like_a_mention_is_text() {
        assert!(found("mail me at x@grace").is_empty());
        assert!(found("@nobody @ @@ a.@grace").is_empty());
        assert!(found("@gracefully").is_empty());
    }
}
