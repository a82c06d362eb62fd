"""Writes shapes.bin: the cumulative distribution functions behind the ladder tables.

Four shapes, 513 values each: floor-to-nearest of 2^30 * F(i / 32), i = 0..512, as
little-endian u32. The file is what counts; this only shows where it comes from.
"""
import math, struct

def gaussian(x): return 0.5 * (1 + math.erf(x / math.sqrt(2)))
def logistic(x): return 1 / (1 + math.exp(-x))
def laplace(x): return 1 - 0.5 * math.exp(-x)
def student3(x):
    t = x / math.sqrt(3)
    return 0.5 + (t / (1 + t * t) + math.atan(t)) / math.pi

with open("shapes.bin", "wb") as out:
    for shape in (gaussian, logistic, laplace, student3):
        values = [round(2**30 * shape(i / 32)) for i in range(512)] + [2**30]
        out.write(struct.pack("<513I", *values))
