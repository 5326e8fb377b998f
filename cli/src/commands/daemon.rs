//! `kith daemon ...`: the program in the background, and the service manager that may start it.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::context::Context;
use crate::error::{self, Result};
use crate::files;
use crate::home::private_dir;
use crate::limits::LOG_BYTES;
use crate::ui::Line;

/// What can be done with the daemon.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DaemonVerb {
    /// Run the daemon in the foreground
    Run(DaemonRun),
    /// Show its log, which never holds content
    Logs {
        /// Show only the last N lines
        #[arg(short = 'n', long, default_value_t = 40, value_name = "N")]
        lines: usize,
    },
    /// Start Kith when you log in (writes a service file)
    Install,
    /// Remove the service file
    Uninstall,
}

/// The daemon itself.
#[derive(Debug, clap::Args)]
pub(crate) struct DaemonRun {
    /// Listen on this address, such as /ip4/0.0.0.0/udp/4001/quic-v1 (repeatable)
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
}

pub(crate) fn run(context: &Context, verb: DaemonVerb) -> Result<()> {
    match verb {
        DaemonVerb::Run(_) => Err(error::failed("The daemon runs from main.", "")),
        DaemonVerb::Logs { lines } => logs(context, lines),
        DaemonVerb::Install => install(context),
        DaemonVerb::Uninstall => uninstall(context),
    }
}

/// The end of the newest file in the log folder.
fn logs(context: &Context, lines: usize) -> Result<()> {
    let folder = context.home().logs();
    let entries = std::fs::read_dir(&folder).map_err(|e| error::io("Cannot read", &folder, &e))?;
    let newest = entries
        .filter_map(std::result::Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.len() > 0))
        .max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok());
    let text = match &newest {
        Some(newest) => files::read_text(&newest.path(), LOG_BYTES)?,
        None => String::new(),
    };
    let path = newest.map(|newest| newest.path());
    let all: Vec<&str> = text.lines().collect();
    let shown = all.get(all.len().saturating_sub(lines)..).unwrap_or_default();
    if context.ui().json {
        return context.ui().out_value(&json!({ "schema": "kith.daemon.logs/1", "path": path, "lines": shown }));
    }
    let Some(path) = path else {
        context.ui().tell("The log is empty.");
        return Ok(());
    };
    context.ui().detail(format!("{}", path.display()));
    shown.iter().try_for_each(|line| context.ui().out(*line))
}

/// Where the service manager looks, and what one types to enable it.
struct Service {
    path: PathBuf,
    text: String,
    enable: &'static str,
    disable: &'static str,
}

fn service(context: &Context) -> Result<Service> {
    let program =
        std::env::current_exe().map_err(|e| error::failed(format!("Cannot find this program: {}.", error::reason(&e)), ""))?;
    let user = std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let user = user.ok_or_else(|| error::failed("HOME is not set, so there is no place for a service file.", ""))?;
    let home = context.home().path();
    if cfg!(target_os = "macos") {
        return Ok(Service {
            path: user.join("Library/LaunchAgents/org.kith.kithd.plist"),
            text: plist(&program, home)?,
            enable: "launchctl load -w ~/Library/LaunchAgents/org.kith.kithd.plist",
            disable: "launchctl unload -w ~/Library/LaunchAgents/org.kith.kithd.plist",
        });
    }
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Ok(Service {
        path: config.unwrap_or_else(|| user.join(".config")).join("systemd/user/kithd.service"),
        text: unit(&program, home)?,
        enable: "systemctl --user daemon-reload && systemctl --user enable --now kithd",
        disable: "systemctl --user disable --now kithd",
    })
}

fn utf8(path: &Path) -> Result<&str> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    text.ok_or_else(|| {
        error::failed(
            format!("{} cannot be used in a service file.", path.display()),
            "Choose a path without control characters.",
        )
    })
}

fn unit(program: &Path, home: &Path) -> Result<String> {
    let quote =
        |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$"));
    Ok(format!(
        "[Unit]\nDescription=Kith, a peer-support circle on its members' own machines\n\n\
         [Service]\nExecStart={} daemon run --home {}\nRestart=on-failure\nRestartSec=5\nNoNewPrivileges=yes\n\n\
         [Install]\nWantedBy=default.target\n",
        quote(utf8(program)?),
        quote(utf8(home)?)
    ))
}

fn plist(program: &Path, home: &Path) -> Result<String> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let words = [utf8(program)?, "daemon", "run", "--home", utf8(home)?];
    let words: String = words.iter().map(|word| format!("    <string>{}</string>\n", escape(word))).collect();
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>org.kith.kithd</string>\n  <key>ProgramArguments</key>\n  <array>\n\
         {words}  </array>\n  <key>RunAtLoad</key>\n  <true/>\n  <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n\
         </dict>\n</plist>\n"
    ))
}

fn install(context: &Context) -> Result<()> {
    let service = service(context)?;
    if context.global().dry_run {
        if context.ui().json {
            let would = json!({ "schema": "kith.dry-run/1", "would": "write", "path": service.path, "text": service.text });
            return context.ui().out_value(&would);
        }
        context.ui().say(format!("This would write {}:", service.path.display()));
        return context.ui().out_file(&service.text);
    }
    if let Some(folder) = service.path.parent() {
        private_dir(folder)?;
    }
    files::write(&service.path, service.text.as_bytes(), true)?;
    context.ui().say(Line::new().text("Written: ").strong(&service.path.display().to_string()));
    context.ui().say(format!("Enable it with: {}", service.enable));
    context.ui().tell("It starts locked; `kith unlock` unlocks it after you log in.");
    report(context, &service.path, true)
}

fn uninstall(context: &Context) -> Result<()> {
    let service = service(context)?;
    if context.global().dry_run {
        if context.ui().json {
            return context.ui().out_value(&json!({ "schema": "kith.dry-run/1", "would": "remove", "path": service.path }));
        }
        context.ui().say(format!("This would remove {}.", service.path.display()));
        return Ok(());
    }
    match std::fs::remove_file(&service.path) {
        Ok(()) => context.ui().say(format!("Removed: {}. If it was enabled: {}", service.path.display(), service.disable)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => context.ui().tell("There is no service file."),
        Err(e) => return Err(error::io("Cannot remove", &service.path, &e)),
    }
    report(context, &service.path, false)
}

fn report(context: &Context, path: &Path, installed: bool) -> Result<()> {
    if !context.ui().json {
        return Ok(());
    }
    let verb = if installed { "install" } else { "uninstall" };
    context.ui().out_value(&json!({ "schema": format!("kith.daemon.{verb}/1"), "path": path, "installed": installed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_files_quote_what_they_hold() {
        let unit = unit(Path::new("/opt/my apps/kith"), Path::new("/home/a/100%")).unwrap();
        assert!(unit.contains("ExecStart=\"/opt/my apps/kith\" daemon run --home \"/home/a/100%%\"\n"), "{unit}");
        assert!(unit_refuses("/tmp/a\nExecStartPre=/bin/evil"));
        let plist = plist(Path::new("/a&b/kith"), Path::new("/h<x>")).unwrap();
        assert!(plist.contains("<string>/a&amp;b/kith</string>") && plist.contains("/h&lt;x&gt;"));
    }

    fn unit_refuses(home: &str) -> bool {
        unit(Path::new("/kith"), Path::new(home)).is_err()
    }
}
