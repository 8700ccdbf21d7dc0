# Finds one libtorch: headers, libraries, version. In this order:
#   1. LIBTORCH in the environment: the folder that holds include/ and lib/
#   2. Torch_DIR in the environment: the folder that holds TorchConfig.cmake
#   3. the system's CMake package (Debian's libtorch-dev)
#   4. a Python's torch, of several interpreters
# A place named in the environment that holds no libtorch is an error: falling through would build against another one unseen.
#
# PyTorch's own TorchConfig.cmake is not loaded. It demands the CUDA compiler for every CUDA build although only C++ is
# compiled here; Debian's copy names folders that do not exist. The headers and the libraries are all that is needed.
#
# Defines
#   Libtorch_ROOT, Libtorch_VERSION, Libtorch_ORIGIN, Libtorch_LIBRARY_DIR, Libtorch_INCLUDE_DIRS, Libtorch_CUDA,
#   Libtorch_CXX_STANDARD (what its headers demand, 17 at least)
#   Libtorch_GLOO_INCLUDE_DIR, where it can join processes: Debian's libtorch_cpu has Gloo inside, but its headers hide it
#   unless USE_C10D and USE_C10D_GLOO are defined and libgloo-dev is installed; a libtorch without is one for single processes
#   Libtorch_NCCL_INCLUDE_DIR, where it can also join GPUs: needs nccl.h, which no libtorch brings
#   the target Libtorch::Libtorch

set(_libtorch_tried "")

# Sets Libtorch_* in the caller when `root` holds a whole libtorch; otherwise adds a line to what was tried.
function(_libtorch_look root origin)
  if(Libtorch_ROOT)
    return()
  endif()
  set(include "${root}/include")
  set(version_header "${include}/torch/csrc/api/include/torch/version.h")
  if(NOT EXISTS "${version_header}")
    set(reason "no include/torch/csrc/api/include/torch/version.h in ${root}")
    if(EXISTS "${root}/lib/libtorch_cpu.so")
      set(reason "${root} has libtorch's libraries but not its headers (include/torch/csrc/api/include/torch/version.h)")
    endif()
    set(_libtorch_tried "${_libtorch_tried}\n  - ${origin}: ${reason}" PARENT_SCOPE)
    return()
  endif()

  set(library_dir "")
  foreach(candidate lib "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib64)
    if(EXISTS "${root}/${candidate}/libtorch_cpu.so" AND EXISTS "${root}/${candidate}/libc10.so")
      set(library_dir "${root}/${candidate}")
      break()
    endif()
  endforeach()
  if(NOT library_dir)
    set(_libtorch_tried "${_libtorch_tried}\n  - ${origin}: headers, but no libtorch_cpu.so and libc10.so under ${root}/lib" PARENT_SCOPE)
    return()
  endif()

  # Newer releases keep the numbers in a second header.
  set(version "")
  foreach(header "${include}/torch/headeronly/version.h" "${version_header}")
    if(EXISTS "${header}")
      file(STRINGS "${header}" lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
      string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
      string(REPLACE ";" "." version "${numbers}")
      if(version)
        break()
      endif()
    endif()
  endforeach()
  if(NOT version)
    set(_libtorch_tried "${_libtorch_tried}\n  - ${origin}: ${version_header} names no version" PARENT_SCOPE)
    return()
  endif()

  set(Libtorch_ROOT "${root}" PARENT_SCOPE)
  set(Libtorch_ORIGIN "${origin}" PARENT_SCOPE)
  set(Libtorch_VERSION "${version}" PARENT_SCOPE)
  set(Libtorch_LIBRARY_DIR "${library_dir}" PARENT_SCOPE)
  set(Libtorch_INCLUDE_DIRS "${include};${include}/torch/csrc/api/include" PARENT_SCOPE)
endfunction()

# <root>/share/cmake/Torch in PyTorch's own builds, <root>/lib/<architecture>/cmake/Torch in Debian's.
function(_libtorch_look_above config_dir origin)
  get_filename_component(folder "${config_dir}" ABSOLUTE)
  foreach(step RANGE 4)
    if(EXISTS "${folder}/include/torch/csrc/api/include/torch/version.h")
      break()
    endif()
    get_filename_component(folder "${folder}" DIRECTORY)
  endforeach()
  if(NOT EXISTS "${folder}/include/torch/csrc/api/include/torch/version.h")
    set(folder "${config_dir}")
  endif()
  _libtorch_look("${folder}" "${origin}")
  foreach(name _libtorch_tried Libtorch_ROOT Libtorch_ORIGIN Libtorch_VERSION Libtorch_LIBRARY_DIR Libtorch_INCLUDE_DIRS)
    set(${name} "${${name}}" PARENT_SCOPE)
  endforeach()
endfunction()

set(Libtorch_ROOT "")
set(_libtorch_named "")

if(NOT "$ENV{LIBTORCH}" STREQUAL "")
  set(_libtorch_named "LIBTORCH=$ENV{LIBTORCH}")
  get_filename_component(_libtorch_root "$ENV{LIBTORCH}" ABSOLUTE)
  _libtorch_look("${_libtorch_root}" "LIBTORCH")
elseif(NOT "$ENV{Torch_DIR}" STREQUAL "")
  set(_libtorch_named "Torch_DIR=$ENV{Torch_DIR}")
  _libtorch_look_above("$ENV{Torch_DIR}" "Torch_DIR")
else()
  find_path(_libtorch_config TorchConfig.cmake
    PATHS "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/Torch" /usr/local/share/cmake/Torch /usr/share/cmake/Torch
    NO_DEFAULT_PATH NO_CACHE)
  if(_libtorch_config)
    _libtorch_look_above("${_libtorch_config}" "the system's package")
  else()
    string(APPEND _libtorch_tried "\n  - the system's package: no TorchConfig.cmake in /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/Torch, /usr/local/share/cmake/Torch or /usr/share/cmake/Torch")
  endif()

  if(NOT Libtorch_ROOT)
    foreach(_libtorch_name python3 python /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9)
      unset(_libtorch_python)
      find_program(_libtorch_python "${_libtorch_name}" NO_CACHE)
      if(NOT _libtorch_python)
        continue()
      endif()
      # find_spec does not import torch: importing takes seconds and may fail for reasons of its own.
      execute_process(
        COMMAND "${_libtorch_python}" -c
          "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '', end='')"
        OUTPUT_VARIABLE _libtorch_root ERROR_QUIET RESULT_VARIABLE _libtorch_result TIMEOUT 20)
      if(_libtorch_result EQUAL 0 AND _libtorch_root)
        _libtorch_look("${_libtorch_root}" "the torch of ${_libtorch_python}")
      else()
        string(APPEND _libtorch_tried "\n  - ${_libtorch_python}: has no torch")
      endif()
      if(Libtorch_ROOT)
        break()
      endif()
    endforeach()
  endif()
endif()

if(NOT Libtorch_ROOT)
  if(_libtorch_named)
    string(REGEX REPLACE "^\n  - [A-Za-z_]+: " "" _libtorch_reason "${_libtorch_tried}")
    message(FATAL_ERROR "no libtorch where ${_libtorch_named} points: ${_libtorch_reason}; point it at the folder of a libtorch, "
      "or unset it to search the system")
  endif()
  message(FATAL_ERROR "no libtorch found. Tried:\n  - LIBTORCH and Torch_DIR: not set${_libtorch_tried}\nInstall libtorch-dev (eng/setup.sh does), or set LIBTORCH to a folder that holds include/ and lib/.")
endif()

# libtorch's wheels were long built with the old string ABI; a mismatch shows only as missing symbols when loading.
file(STRINGS "${Libtorch_LIBRARY_DIR}/libc10.so" _libtorch_new_abi REGEX "_ZN[A-Za-z0-9_]*NSt7__cxx11" LIMIT_COUNT 1)
set(_libtorch_definitions "_GLIBCXX_USE_CXX11_ABI=0")
if(_libtorch_new_abi)
  set(_libtorch_definitions "_GLIBCXX_USE_CXX11_ABI=1")
endif()

# Newer headers refuse to compile as C++17, and say so in an #error.
set(Libtorch_CXX_STANDARD 17)
file(STRINGS "${Libtorch_ROOT}/include/ATen/ATen.h" _libtorch_demand REGEX "#error C\\+\\+[0-9]+ or later")
if(_libtorch_demand MATCHES "C\\+\\+([0-9]+)" AND CMAKE_MATCH_1 GREATER Libtorch_CXX_STANDARD)
  set(Libtorch_CXX_STANDARD "${CMAKE_MATCH_1}")
endif()

set(_libtorch_libraries c10 torch_cpu)
set(Libtorch_CUDA OFF)
if(EXISTS "${Libtorch_LIBRARY_DIR}/libtorch_cuda.so")
  set(Libtorch_CUDA ON)
  list(APPEND _libtorch_libraries c10_cuda torch_cuda)
  list(APPEND _libtorch_definitions DISTILLSHARP_CUDA=1)
  # libtorch's graphs want one header of CUDA's, which a toolkit has and, for PyTorch's wheels, another wheel.
  file(GLOB _libtorch_wheels "${Libtorch_ROOT}/../nvidia/*/include")
  find_path(_libtorch_cuda_headers cuda_runtime_api.h
    HINTS ENV CUDA_HOME /usr/local/cuda PATHS ${_libtorch_wheels} PATH_SUFFIXES include NO_CACHE)
  if(_libtorch_cuda_headers)
    list(APPEND Libtorch_INCLUDE_DIRS "${_libtorch_cuda_headers}")
    list(APPEND _libtorch_definitions DISTILLSHARP_CUDA_GRAPHS=1)
  endif()
endif()

if(NOT TARGET Libtorch::Libtorch)
  add_library(Libtorch::Libtorch INTERFACE IMPORTED)
  target_include_directories(Libtorch::Libtorch SYSTEM INTERFACE ${Libtorch_INCLUDE_DIRS})
  target_compile_definitions(Libtorch::Libtorch INTERFACE ${_libtorch_definitions})
  # Kernels register themselves when their library is loaded: a library that nothing references by name would be
  # dropped by --as-needed, and with it every CUDA operator.
  target_link_options(Libtorch::Libtorch INTERFACE -Wl,--no-as-needed)
  foreach(_libtorch_library ${_libtorch_libraries})
    target_link_libraries(Libtorch::Libtorch INTERFACE "${Libtorch_LIBRARY_DIR}/lib${_libtorch_library}.so")
  endforeach()
endif()

set(Libtorch_GLOO_INCLUDE_DIR "")
set(Libtorch_NCCL_INCLUDE_DIR "")
set(_libtorch_processes "single processes only")
execute_process(COMMAND grep -q _ZN4c10d16ProcessGroupGloo "${Libtorch_LIBRARY_DIR}/libtorch_cpu.so" RESULT_VARIABLE _libtorch_without_gloo)
find_path(_libtorch_gloo gloo/rendezvous/store.h HINTS "${Libtorch_ROOT}/include" NO_CACHE)
if(NOT _libtorch_without_gloo AND _libtorch_gloo)
  set(Libtorch_GLOO_INCLUDE_DIR "${_libtorch_gloo}")
  set(_libtorch_processes "processes by Gloo")
  find_path(_libtorch_nccl nccl.h HINTS "${Libtorch_ROOT}/include" "${Libtorch_ROOT}/../nvidia/nccl/include" NO_CACHE)
  if(Libtorch_CUDA AND _libtorch_nccl)
    set(Libtorch_NCCL_INCLUDE_DIR "${_libtorch_nccl}")
    set(_libtorch_processes "processes by Gloo and NCCL")
  endif()
elseif(NOT _libtorch_without_gloo)
  set(_libtorch_processes "single processes only: it has Gloo, but there is no gloo/rendezvous/store.h (Debian: libgloo-dev)")
endif()

if(Libtorch_CUDA)
  set(_libtorch_device "with CUDA, without its graphs: no cuda_runtime_api.h")
  if(_libtorch_cuda_headers)
    set(_libtorch_device "with CUDA and its graphs")
  endif()
else()
  set(_libtorch_device "CPU only")
endif()
message(STATUS "libtorch ${Libtorch_VERSION} (${_libtorch_device}, C++${Libtorch_CXX_STANDARD}) from ${Libtorch_ORIGIN}: ${Libtorch_LIBRARY_DIR}; ${_libtorch_processes}")
if(_libtorch_tried)
  message(STATUS "tried before:${_libtorch_tried}")
endif()
