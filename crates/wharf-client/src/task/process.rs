//! Telling whether a process still lives.

use rustix::process::{Pid, test_kill_process};

/// What tells a process from any other that had or will have its number: the machine's start and its own. `None` where the
/// system does not say.
pub(crate) fn mark(pid: u32) -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may hold anything; the start is the 22nd.
    let (_, fields) = stat.rsplit_once(')')?;
    let started = fields.split_ascii_whitespace().nth(19)?;
    Some(format!("{}:{started}", boot.trim()))
}

/// Whether there is a process of this number, whoever's it is.
pub(crate) fn exists(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::{exists, mark};

    #[test]
    fn a_process_has_a_mark_of_its_own_while_it_lives() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let (here, there) = (mark(std::process::id()), mark(child.id()));
        assert_eq!(here, mark(std::process::id()));
        assert!(exists(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!exists(child.id()));
        assert_eq!(mark(child.id()), None);
        if cfg!(target_os = "linux") {
            assert!(there.is_some());
        }
    }
}
