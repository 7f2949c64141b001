//! The `scx` program.

fn main() -> std::process::ExitCode {
    scx::cli::run(std::env::args_os())
}
