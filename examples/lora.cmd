@echo off
rem The lora command line: examples\lora --help, examples\lora finetune.
rem
rem Needs a JDK 17. Builds what is missing or older than its sources; the build's log is
rem examples\target\lora\build.log.
rem   LORA_JAVA_OPTIONS  options for Java, such as -Xmx8g
rem   LORA_REPOSITORIES  folders, jars or URLs of adapters, with commas between them
rem   LORA_CUDA=1        leaves the CPU build of PyTorch out: DJL then finds or fetches the CUDA build
setlocal
set "examples=%~dp0"
set "examples=%examples:~0,-1%"
for %%d in ("%examples%\..") do set "root=%%~fd"
set "state=%examples%\target\lora"
set "log=%state%\build.log"
if defined LORA_CUDA (set "profile=cuda") else (set "profile=cpu")
set "libraries=%state%\libraries-%profile%"

if defined JAVA_HOME (set "java=%JAVA_HOME%\bin\java.exe") else (set "java=java")
"%java%" -version >nul 2>&1
if errorlevel 1 (
  echo lora: no Java: install a JDK 17 and set JAVA_HOME or PATH 1>&2
  exit /b 1
)

rem Exit code 0 means that every class folder is there and no source is newer than the list.
powershell -NoProfile -Command "$l = Get-Item -LiteralPath $env:libraries -ErrorAction SilentlyContinue; if (-not $l -or $l.Length -eq 0) { exit 1 }; foreach ($m in 'lora-djl','model-zoo','examples') { if (-not (Test-Path -LiteralPath \"$env:root\$m\target\classes\")) { exit 1 } }; $s = @(\"$env:root\pom.xml\") + ('lora-djl','model-zoo','examples' | ForEach-Object { \"$env:root\$_\pom.xml\"; \"$env:root\$_\src\main\" }); if (Get-ChildItem -LiteralPath $s -Recurse | Where-Object { $_.LastWriteTime -gt $l.LastWriteTime } | Select-Object -First 1) { exit 1 }; foreach ($j in (Get-Content -LiteralPath $l.FullName -Raw).Trim() -split ';') { if (-not (Test-Path -LiteralPath $j)) { exit 1 } }; exit 0"
if not errorlevel 1 goto run

if not exist "%state%" mkdir "%state%"
if exist "%libraries%" del "%libraries%"
echo lora: building; the first time this downloads the libraries, about 250 MB ... 1>&2
set "maven=%root%\mvnw.cmd"
where mvn >nul 2>&1
if not errorlevel 1 set "maven=mvn"
pushd "%root%"
call "%maven%" --batch-mode --no-transfer-progress -P%profile% -Dmaven.test.skip=true -Dspotless.check.skip=true -DincludeScope=runtime -DexcludeGroupIds=io.github.loradjl "-Dmdep.outputFile=%libraries%" test-compile dependency:build-classpath >"%log%" 2>&1
set "code=%errorlevel%"
popd
if not "%code%"=="0" (
  if exist "%libraries%" del "%libraries%"
  findstr /b /c:"[ERROR]" "%log%" 1>&2
  echo lora: the build failed; the whole log is %log% 1>&2
  exit /b 1
)

:run
rem A file of arguments: the class path may be longer than a command line may be.
set "arguments=%state%\arguments-%profile%"
powershell -NoProfile -Command "$p = (('lora-djl','model-zoo','examples' | ForEach-Object { \"$env:root\$_\target\classes\" }) -join ';') + ';' + (Get-Content -LiteralPath $env:libraries -Raw).Trim(); $q = [char]34; Set-Content -LiteralPath $env:arguments -Value ('-cp ' + $q + $p.Replace('\','\\') + $q)"
rem The same run gives the same numbers, to the last digit: see examples/lora.
if not defined MKL_CBWR set "MKL_CBWR=AUTO"
if not defined MKL_DYNAMIC set "MKL_DYNAMIC=FALSE"
rem DJL needs no network then; HF_HUB_OFFLINE=1 is the switch for the hub, DJL_OFFLINE=true for repositories too.
set "offline=-Dai.djl.offline=true -Dlora.hub.offline=false"
if "%profile%"=="cuda" set "offline="
set "repositories="
if defined LORA_REPOSITORIES set repositories="-Dlora.djl.repositories=%LORA_REPOSITORIES%"
"%java%" "-Dlora.examples=%examples%" -XX:+UseSerialGC -Xmn16m -XX:TieredStopAtLevel=1 %offline% %repositories% %LORA_JAVA_OPTIONS% "@%arguments%" io.github.loradjl.examples.Lora %*
exit /b %errorlevel%
