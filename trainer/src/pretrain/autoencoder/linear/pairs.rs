//! How a last normalisation and its SiLU are passed: `silu(x) - silu(-x) = x`, and constants in each
//! group, large against what is paired, keep the divisor from depending on the picture.

/// The constants beside paired numbers, in standard deviations of the largest of them.
const HELD: f32 = 8.0;

/// Where a normalisation that is followed by SiLU lets numbers pass.
pub struct Pairs {
    /// Of each number the channel that holds it; the next one holds its opposite.
    pub channels: Vec<usize>,
    /// What it is divided by on its way.
    pub divisors: Vec<f32>,
    /// Channels with their constants; the next ones hold the opposites.
    pub constants: Vec<(usize, f32)>,
    /// Channels that must be nothing else.
    pub taken: Vec<usize>,
}

impl Pairs {
    /// For numbers of these standard deviations in `groups` groups of `channels`.
    pub fn of(channels: usize, groups: usize, deviations: &[f32]) -> Self {
        let each = channels / groups;
        let mut pairs = Self {
            channels: vec![0; deviations.len()],
            divisors: vec![0.0; deviations.len()],
            constants: Vec::new(),
            taken: Vec::new(),
        };
        for group in 0..groups.min(deviations.len()) {
            let first = group * each;
            let members: Vec<usize> = (group..deviations.len()).step_by(groups).collect();
            let largest = members.iter().map(|k| deviations[*k]).fold(0.0, f32::max);
            let squares: f32 = members.iter().map(|k| deviations[*k].powi(2)).sum();
            let constant = HELD * largest;
            let divisor = (2.0 * (constant * constant + squares) / each as f32).sqrt();
            pairs.constants.push((first, constant));
            pairs.taken.extend(first..first + each);
            for (place, member) in members.into_iter().enumerate() {
                pairs.channels[member] = first + 2 + 2 * place;
                pairs.divisors[member] = divisor;
            }
        }
        pairs
    }
}
