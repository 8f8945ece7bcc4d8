//! The command reference (docs/guide/commands.md), written from the definition of the command line.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// Whether a command belongs into the reference.
pub(crate) fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

/// The whole reference. `root` must be built.
pub(crate) fn markdown(root: &Command) -> String {
    let mut text = String::from(
        "# Command reference\n\n\
         Written by `wharf man --markdown` from the definition of the command line; do not edit it here.\n\n",
    );
    everywhere(root, &mut text);
    for command in root.get_subcommands().filter(|command| is_shown(command)) {
        section(command, "wharf", 2, &mut text);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn everywhere(root: &Command, text: &mut String) {
    text.push_str("## Everywhere\n\nThese flags go with every command.\n\n");
    for arg in root.get_arguments().filter(|arg| arg.is_global_set()) {
        option(arg, text);
    }
    text.push('\n');
}

fn section(command: &Command, before: &str, depth: usize, text: &mut String) {
    let title = format!("{before} {}", command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    push(text, format_args!("{} {title}\n\n", "#".repeat(depth)));
    if let Some(about) = about {
        push(text, format_args!("{}\n\n", about.to_string().trim()));
    }
    if command.get_subcommands().next().is_none() {
        push(text, format_args!("```console\n{usage}\n```\n\n"));
    }
    let own = |arg: &&Arg| !arg.is_global_set() && !arg.is_hide_set() && !is_standard(arg);
    let mut args: Vec<&Arg> = command.get_positionals().filter(own).collect();
    args.extend(command.get_opts().filter(own));
    args.extend(
        command
            .get_arguments()
            .filter(own)
            .filter(|arg| !arg.is_positional() && !arg.get_action().takes_values()),
    );
    for arg in &args {
        option(arg, text);
    }
    if !args.is_empty() {
        text.push('\n');
    }
    if let Some(after) = command.get_after_help() {
        let after = after.to_string();
        let examples = after.trim_start_matches("Examples:").trim_matches('\n');
        let lines: Vec<&str> = examples.lines().map(str::trim_start).collect();
        push(text, format_args!("```sh\n{}\n```\n\n", lines.join("\n")));
    }
    for below in command.get_subcommands().filter(|below| is_shown(below)) {
        section(below, &title, depth + 1, text);
    }
}

fn is_standard(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn option(arg: &Arg, text: &mut String) {
    let values = arg.get_value_names().unwrap_or_default();
    let value = values
        .iter()
        .fold(String::new(), |value, name| value + " " + name);
    let takes = arg.get_action().takes_values();
    let mut names = Vec::new();
    if arg.is_positional() {
        let name = values.first().map_or_else(
            || arg.get_id().to_string().to_uppercase(),
            ToString::to_string,
        );
        names.push(name);
    } else {
        let value = if takes { value } else { String::new() };
        names.extend(arg.get_short().map(|short| format!("-{short}{value}")));
        names.extend(arg.get_long().map(|long| format!("--{long}{value}")));
    }
    let help = arg
        .get_long_help()
        .or_else(|| arg.get_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    push(
        text,
        format_args!("- `{}`: {}", names.join("`, `"), help.replace('\n', " ")),
    );
    let possible: Vec<_> = arg
        .get_possible_values()
        .iter()
        .filter(|value| takes && !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !possible.is_empty() {
        push(text, format_args!(" ({})", possible.join(", ")));
    }
    if let Some(variable) = arg.get_env() {
        push(
            text,
            format_args!("; or in `{}`", variable.to_string_lossy()),
        );
    }
    text.push_str(".\n");
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    text.write_fmt(part).unwrap_or_default();
}
