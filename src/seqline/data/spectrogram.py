"""Sound as a sequence: frames of log-mel energies, and back to samples.

A frame says how much energy each band of frequencies has within a window of some milliseconds; the bands are wider for
high tones, as in the ear. The phase is left out, so the way back has to find one: Griffin and Lim's iteration.

Legend: S samples, T frames, F frequencies of the transform, M mel bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError

if TYPE_CHECKING:
    import torch

# Energy that counts as silence: some 80 dB under a full-scale tone, still above the rounding of 16 bits. People record digits
# at levels 50 dB apart; with 1e-5 a recogniser of the quiet ones heard nothing (docs/log.md).
FLOOR = 1e-9
# Slaney's scale: up to 1000 Hz a mel is 200/3 Hz, above it each mel is 6.4 ** (1/27) times the one before.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27.0

Frames = npt.NDArray[np.float32]


def hz_to_mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's mel of some frequencies.

    >>> hz_to_mel(np.asarray([0.0, 1000.0, 6400.0])).round(6).tolist()
    [0.0, 15.0, 42.0]
    """
    above = np.maximum(hz, _BREAK_HZ) / _BREAK_HZ
    return np.where(hz < _BREAK_HZ, hz / _LINEAR_HZ, _BREAK_HZ / _LINEAR_HZ + np.log(above) / _LOG_STEP)


def mel_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse of `hz_to_mel`."""
    break_mel = _BREAK_HZ / _LINEAR_HZ
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, break_mel) - break_mel))
    return np.where(mel < break_mel, mel * _LINEAR_HZ, above)


@dataclass(frozen=True)
class Spectrogram:
    """The way from samples to log-mel frames and back.

    Attributes:
        sample_rate: Samples a second.
        window_ms: Milliseconds that one frame sees.
        hop_ms: Milliseconds from one frame to the next.
        mels: M.
        floor: Energy below which everything is silence.

    Raises:
        InputError: The hop is longer than the window, or there are more bands than the window can tell apart.

    Source: Slaney, "Auditory toolbox", 1998 (mel scale and bands of equal area); Griffin and Lim, "Signal estimation from
        modified short-time Fourier transform", 1984; Perraudin et al., "A fast Griffin-Lim algorithm", 2013 (momentum).
    """

    sample_rate: int
    window_ms: float = 25.0
    hop_ms: float = 10.0
    mels: int = 40
    floor: float = FLOOR

    def __post_init__(self) -> None:
        if self.hop_ms > self.window_ms:
            raise InputError(
                "input", f"a hop of {self.hop_ms:g} ms", f"at most the window, {self.window_ms:g} ms"
            )
        if self.filters.max(axis=1).min() <= 0:
            raise InputError(
                "input.mels", f"{self.mels} bands", f"fewer, or a window longer than {self.window_ms:g} ms"
            )

    @property
    def window(self) -> int:
        """Samples that one frame sees."""
        return max(2, round(self.sample_rate * self.window_ms / 1000))

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return max(1, round(self.sample_rate * self.hop_ms / 1000))

    @property
    def size(self) -> int:
        """Of the transform: a power of two, at least twice the window, so that narrow bands meet a frequency."""
        return 1 << (2 * self.window - 1).bit_length()

    @cached_property
    def filters(self) -> npt.NDArray[np.float64]:
        """Triangular bands of equal area, float64 (M, F): what a frequency's energy counts in each."""
        nyquist = self.sample_rate / 2
        corners = mel_to_hz(np.linspace(0.0, float(hz_to_mel(np.asarray(nyquist))), self.mels + 2))
        hz = np.linspace(0.0, nyquist, self.size // 2 + 1)
        left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
        rising, falling = (hz - left) / (centre - left), (right - hz) / (right - centre)
        return np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (right - left))

    def frames(self, samples: npt.NDArray[np.floating]) -> Frames:
        """Log-mel energies of a recording.

        Args:
            samples: float (S,), S at least 1.

        Returns:
            float32 (T, M), T = 1 + S // hop; silence is ln(floor). Frame t looks at the window around sample t * hop.
        """
        import torch

        spectrum = self._transform(torch.from_numpy(np.asarray(samples, dtype=np.float64)))
        energy = (spectrum.abs() ** 2).numpy() * self._energy_unit
        mel: npt.NDArray[np.float64] = self.filters @ energy
        return np.log(np.maximum(mel, self.floor)).T.astype(np.float32)

    def samples(
        self, frames: npt.NDArray[np.floating], *, rounds: int = 60, momentum: float = 0.99
    ) -> Frames:
        """Sound that has, as nearly as possible, these log-mel energies; the same ones give the same samples.

        The energies of single frequencies are the smallest that give the bands' (pseudo-inverse, cut at 0); then phases are
        sought by going back and forth between sound and spectrum.

        Args:
            frames: float (T, M).
            rounds: Iterations; the error falls fast up to some thirty.
            momentum: 0 is Griffin and Lim's own iteration.

        Returns:
            float32 (S,) with S = (T - 1) * hop, in [-1, 1]; no sample for a single frame.
        """
        import torch

        if len(frames) < 2:
            return np.zeros(0, dtype=np.float32)
        energy = self._unfiltered @ np.exp(np.asarray(frames, dtype=np.float64)).T
        magnitude = torch.from_numpy(np.sqrt(np.maximum(energy, 0.0) / self._energy_unit))
        length = (len(frames) - 1) * self.hop
        generator = torch.Generator().manual_seed(0)
        angles = 2 * torch.pi * torch.rand(magnitude.shape, generator=generator, dtype=torch.float64)
        guess = torch.polar(magnitude, angles)
        before = torch.zeros_like(guess)
        for _ in range(rounds):
            rebuilt = self._transform(self._inverse(guess, length))
            ahead = rebuilt + momentum * (rebuilt - before)
            guess = magnitude * ahead / ahead.abs().clamp(min=1e-12)
            before = rebuilt
        sound = self._inverse(guess, length).numpy()
        peak = max(1.0, float(np.abs(sound).max()))
        return (sound / peak).astype(np.float32)

    @cached_property
    def _unfiltered(self) -> npt.NDArray[np.float64]:
        """Smallest energies of the frequencies for those of the bands, (F, M); some are below 0."""
        inverse: npt.NDArray[np.float64] = np.linalg.pinv(self.filters).astype(np.float64)
        return inverse

    @property
    def _energy_unit(self) -> float:
        # A full-scale sine gives the same energy whatever the window: the sum of a Hann window is half its length.
        return (2.0 / self.window) ** 2 * self._bin_hz

    @property
    def _bin_hz(self) -> float:
        # The bands have area 1 in hertz; a sum over frequencies times their spacing is the integral.
        return self.sample_rate / self.size

    def _window(self) -> torch.Tensor:
        import torch

        return torch.hann_window(self.window, dtype=torch.float64)

    def _transform(self, samples: torch.Tensor) -> torch.Tensor:
        """Spectrum complex (F, T) of samples float64 (S,), zeros beyond both ends."""
        import torch

        return torch.stft(
            samples,
            self.size,
            hop_length=self.hop,
            win_length=self.window,
            window=self._window(),
            center=True,
            pad_mode="constant",
            return_complex=True,
        )

    def _inverse(self, spectrum: torch.Tensor, length: int) -> torch.Tensor:
        import torch

        return torch.istft(
            spectrum,
            self.size,
            hop_length=self.hop,
            win_length=self.window,
            window=self._window(),
            center=True,
            length=length,
        )
