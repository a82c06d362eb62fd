//! Which instructions the kernels use.

use std::sync::OnceLock;

/// Families of CPUs that have kernels of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    /// Any CPU; the reference.
    Scalar,
    /// x86 with AVX2, FMA, BMI1 and POPCNT.
    Avx2,
    /// x86 with AVX-512 F, BW, DQ and VL.
    Avx512,
    /// 64-bit Arm.
    Neon,
}

/// Every family with the name that `AEZIP_ISA` knows it by, best first.
const ALL: [(Isa, &str); 4] =
    [(Isa::Avx512, "avx512"), (Isa::Avx2, "avx2"), (Isa::Neon, "neon"), (Isa::Scalar, "scalar")];

impl Isa {
    /// Lists what this CPU has, best first.
    pub(crate) fn available() -> impl Iterator<Item = Isa> {
        ALL.into_iter().map(|(isa, _)| isa).filter(|isa| isa.is_available())
    }

    /// Returns the best, or the one that the environment variable `AEZIP_ISA` names, if this CPU
    /// has it. All give the same bits, so that this changes the speed only.
    pub(crate) fn chosen() -> Isa {
        static CHOSEN: OnceLock<Isa> = OnceLock::new();
        *CHOSEN.get_or_init(|| Self::named(std::env::var("AEZIP_ISA").ok().as_deref()))
    }

    /// Returns the name that `AEZIP_ISA` knows it by.
    #[cfg(feature = "internals")]
    pub(crate) fn name(self) -> &'static str {
        ALL.into_iter().find(|(isa, _)| *isa == self).map_or("", |(_, name)| name)
    }

    /// Returns the one with this name, or else the best.
    fn named(name: Option<&str>) -> Isa {
        let mut usable = Self::available();
        let wanted = ALL.into_iter().find(|(_, own)| Some(*own) == name);
        match wanted.filter(|(isa, _)| isa.is_available()) {
            Some((isa, _)) => isa,
            None => usable.next().unwrap_or(Isa::Scalar),
        }
    }

    /// Says whether this CPU has it: what the proofs in the kernels' files rest on.
    pub(super) fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_chooses_if_the_cpu_has_it() {
        let best = Isa::available().next().unwrap();
        assert_eq!(Isa::named(None), best);
        assert_eq!(Isa::named(Some("abacus")), best);
        for (isa, name) in ALL {
            let expected = if isa.is_available() { isa } else { best };
            assert_eq!(Isa::named(Some(name)), expected, "{name}");
        }
    }

    #[test]
    fn the_environment_is_heard() {
        if let Ok(name) = std::env::var("AEZIP_ISA") {
            return assert_eq!(Isa::chosen(), Isa::named(Some(&name)));
        }
        // Chosen once in a process, so that each name needs its own.
        for (isa, name) in ALL.into_iter().filter(|(isa, _)| isa.is_available()) {
            let program = std::env::current_exe().unwrap();
            let output = std::process::Command::new(program)
                .args(["--exact", "kernels::isa::tests::the_environment_is_heard"])
                .env("AEZIP_ISA", name)
                .output();
            // An emulator that runs this program may not start it for the program itself.
            let Ok(output) = output else { return };
            let text = String::from_utf8_lossy(&output.stdout);
            if text.contains("running ") {
                assert!(output.status.success() && text.contains("1 passed"), "{isa:?}: {text}");
            }
        }
    }

    #[test]
    fn the_reference_is_everywhere_and_last() {
        assert_eq!(Isa::available().last(), Some(Isa::Scalar));
    }
}
