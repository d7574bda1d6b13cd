# 32 bits, on the machine itself. The package that gives -m32 its <asm/...> cannot be installed beside the cross
# compilers; the 64-bit machine's serve.
set(CMAKE_CXX_COMPILER g++-12)
set(CMAKE_CXX_FLAGS_INIT "-m32 -idirafter /usr/include/x86_64-linux-gnu")
