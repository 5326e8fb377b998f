//! The report: rows, the machine they were taken on, and both as a table for people.

use serde::Serialize;

use super::floor::median;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub metric: String,
    /// The median.
    pub value: f64,
    /// `s`, `1/s`, `MB`, `B`, `B/s` or `%` (of one processor).
    pub unit: &'static str,
    /// How many times it was measured.
    pub n: usize,
    /// What the machine could do at best, from this run's floors; `null` where that says nothing.
    pub floor: Option<f64>,
    /// The least and the greatest value.
    pub range: (f64, f64),
}

impl Row {
    /// The median of some values.
    #[must_use]
    pub fn of(metric: impl Into<String>, unit: &'static str, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let range = (at(0), at(values.len().saturating_sub(1)));
        Self { metric: metric.into(), value: median(&values), unit, n: values.len(), floor: None, range }
    }

    /// The greatest value: of several sides, none is worse.
    #[must_use]
    pub fn worst(metric: impl Into<String>, unit: &'static str, values: Vec<f64>) -> Self {
        let row = Self::of(metric, unit, values);
        Self { value: row.range.1, ..row }
    }

    /// The value below which so many of a hundred lie.
    #[must_use]
    pub fn percentile(metric: impl Into<String>, unit: &'static str, mut values: Vec<f64>, percent: usize) -> Self {
        values.sort_by(f64::total_cmp);
        let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
        let value = values.get(at).copied().unwrap_or(f64::NAN);
        Self { value, ..Self::of(metric, unit, values) }
    }

    /// With its floor.
    #[must_use]
    pub fn above(self, floor: f64) -> Self {
        Self { floor: Some(floor), ..self }
    }
}

/// Where it ran.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// Processors.
    pub cpus: usize,
    /// Their name.
    pub model: String,
    /// Kernel release.
    pub kernel: String,
    /// `release`, or `dev` for figures that say little.
    pub build: &'static str,
    /// Was the loopback this run's own?
    pub private_loopback: bool,
    /// Processes that ran or waited to, over the last minute, as it began.
    pub load: f64,
}

impl Host {
    /// This one.
    #[must_use]
    pub fn here(private_loopback: bool) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
        Self {
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            model: model.map(|(_, model)| model.to_owned()).unwrap_or_default(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            build: if cfg!(debug_assertions) { "dev" } else { "release" },
            private_loopback,
            load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }
}

/// Everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// `kith.bench/1`.
    pub schema: &'static str,
    /// Where.
    pub machine: Host,
    /// What.
    pub rows: Vec<Row>,
}

impl BenchReport {
    /// One table.
    #[must_use]
    pub fn table(&self) -> String {
        let Host { cpus, model, build, private_loopback, load, .. } = &self.machine;
        let own = if *private_loopback { "a loopback of its own" } else { "the machine's loopback" };
        let mut out = format!("{cpus} × {model}, {build} build, {own}, load {load}\n\n");
        out.push_str("| metric | median | unit | least – greatest | n | floor |\n|---|---|---|---|---|---|\n");
        for Row { metric, value, unit, n, floor, range } in &self.rows {
            let floor = floor.map(digits).unwrap_or_default();
            let range = format!("{} – {}", digits(range.0), digits(range.1));
            out.push_str(&format!("| {metric} | {} | {unit} | {range} | {n} | {floor} |\n", digits(*value)));
        }
        out
    }
}

/// Three digits that matter.
fn digits(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if size == 0.0 => "0".to_owned(),
        _ if size >= 100.0 => format!("{value:.0}"),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 1.0 => format!("{value:.2}"),
        _ if size >= 0.1 => format!("{value:.3}"),
        _ if size >= 0.01 => format!("{value:.4}"),
        _ => format!("{value:.6}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_median_or_a_percentile_with_its_range() {
        let row = Row::of("m", "s", vec![3.0, 1.0, 2.0]);
        assert_eq!((row.value, row.range, row.n), (2.0, (1.0, 3.0), 3));
        assert_eq!(Row::of("m", "s", vec![4.0, 1.0]).value, 2.5);
        assert_eq!(Row::worst("m", "s", vec![4.0, 1.0]).value, 4.0);
        let row = Row::percentile("m", "s", (1..=200).map(f64::from).collect(), 99);
        assert_eq!(row.value, 199.0);
    }
}
