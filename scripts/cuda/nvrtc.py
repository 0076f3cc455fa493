"""Compiles CUDA sources to PTX by NVRTC, which needs no graphics processor.

    nvrtc.py LIBRARY ARCHITECTURE SOURCE..

says which sources compile, and fails if one does not.
"""

import ctypes
import pathlib
import sys


def compile_source(nvrtc, architecture, source):
    """The log of the compiler, and the length of the PTX; no length where it does not compile."""
    program = ctypes.c_void_p()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), None, 0, None, None)
    options = (ctypes.c_char_p * 1)(f"--gpu-architecture={architecture}".encode())
    result = nvrtc.nvrtcCompileProgram(program, 1, options)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    length = None
    if result == 0:
        nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
        length = size.value
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return log.value.decode(), length


def main():
    library, architecture, *sources = sys.argv[1:]
    nvrtc = ctypes.CDLL(library)
    failed = 0
    for path in map(pathlib.Path, sources):
        log, length = compile_source(nvrtc, architecture, path.read_text())
        if length is None:
            failed += 1
            print(f"{path.name}: {log}")
    print(f"{len(sources) - failed} of {len(sources)} sources compile for {architecture}")
    sys.exit(failed > 0 or not sources)


main()
