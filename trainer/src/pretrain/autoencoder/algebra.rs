//! The two pieces of linear algebra that a linear autoencoder is found with.

/// Eigenvalues, largest first, and unit eigenvectors of a symmetric matrix, given row by row.
///
/// Cyclic Jacobi rotations: Golub and Van Loan, *Matrix Computations*, section 8.5. Of a vector and
/// its opposite the one is given whose largest entry is positive.
pub fn eigen(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut v: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect(); // rows
    for _ in 0..30 {
        let off: f64 = (0..n * n).filter(|i| i / n != i % n).map(|i| a[i] * a[i]).sum();
        let on: f64 = (0..n).map(|i| a[i * n + i] * a[i * n + i]).sum();
        if off <= 1e-20 * on {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, n, (p, q));
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[j * n + j].total_cmp(&a[i * n + i]));
    let vector = |i: &usize| {
        let row = &v[i * n..(i + 1) * n];
        let largest =
            row.iter().fold(0.0f64, |most, x| if x.abs() > most.abs() { *x } else { most });
        row.iter().map(|x| x * largest.signum()).collect()
    };
    (order.iter().map(|i| a[i * n + i]).collect(), order.iter().map(vector).collect())
}

/// Makes entry (p, q) of the symmetric `a` zero by a rotation, and rotates the rows of `v` with it.
fn rotate(a: &mut [f64], v: &mut [f64], n: usize, (p, q): (usize, usize)) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
        let (x, y) = (v[p * n + k], v[q * n + k]);
        (v[p * n + k], v[q * n + k]) = (c * x - s * y, s * x + c * y);
    }
}

/// The solution X of A X = B for a symmetric positive definite A of `n` rows and B of `columns`
/// columns, both row by row, by Cholesky's factorization.
pub fn solve(mut a: Vec<f64>, mut b: Vec<f64>, n: usize, columns: usize) -> Vec<f64> {
    for i in 0..n {
        for j in 0..=i {
            let (row, other) = (&a[i * n..i * n + j], &a[j * n..j * n + j]);
            let sum = a[i * n + j] - row.iter().zip(other).map(|(x, y)| x * y).sum::<f64>();
            a[i * n + j] = if i == j { sum.max(1e-300).sqrt() } else { sum / a[j * n + j] };
        }
    }
    let eliminate = |b: &mut [f64], row: usize, from: usize, factor: f64| {
        for column in 0..columns {
            b[row * columns + column] -= factor * b[from * columns + column];
        }
    };
    let divide = |b: &mut [f64], row: usize, by: f64| {
        b[row * columns..(row + 1) * columns].iter_mut().for_each(|x| *x /= by);
    };
    for i in 0..n {
        (0..i).for_each(|j| eliminate(&mut b, i, j, a[i * n + j]));
        divide(&mut b, i, a[i * n + i]);
    }
    for i in (0..n).rev() {
        (i + 1..n).for_each(|j| eliminate(&mut b, i, j, a[j * n + i]));
        divide(&mut b, i, a[i * n + i]);
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;
    use likeness_diffusion::noise;

    /// A symmetric positive definite matrix.
    fn matrix(n: usize) -> Vec<f64> {
        let m = noise::uniform(1, "matrix", 0, n * n);
        let at = |i: usize, j: usize| -> f64 {
            (0..n).map(|k| f64::from(m[i * n + k] * m[j * n + k])).sum::<f64>()
                + f64::from(u8::from(i == j))
        };
        (0..n * n).map(|index| at(index / n, index % n)).collect()
    }

    #[test]
    fn eigenvectors_are_only_stretched() {
        let n = 12;
        let a = matrix(n);
        let (values, vectors) = eigen(a.clone(), n);
        assert!(values.is_sorted_by(|x, y| x >= y));
        for (value, vector) in values.iter().zip(&vectors) {
            assert!((vector.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-9);
            for i in 0..n {
                let sum: f64 = (0..n).map(|j| a[i * n + j] * vector[j]).sum();
                assert!((sum - value * vector[i]).abs() < 1e-8, "{sum} {value}");
            }
        }
    }

    #[test]
    fn a_solution_solves() {
        let (n, columns) = (9, 2);
        let a = matrix(n);
        let x: Vec<f64> = (0..n * columns).map(|i| i as f64 - 7.5).collect();
        let of = |i: usize, c: usize| (0..n).map(|j| a[i * n + j] * x[j * columns + c]).sum();
        let b = (0..n * columns).map(|at| of(at / columns, at % columns)).collect();
        let solved = solve(a.clone(), b, n, columns);
        assert!(solved.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-8));
    }
}
